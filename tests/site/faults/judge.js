/** What must hold after whatever happened: a visit without faults finds all that was kept, and the next one fetches nothing. */

import { Library } from '/engine/storage/library.js';
import { makeModel } from './models.js';
import { BASE, isSame, PLACES, Visit } from './visit.js';

const OTHER_BASE = 'https://models.test/other/';

/** @returns {number} bytes of the model that are kept and right */
export function keptBytes(kept, { files, bytes }) {
  let sum = 0;
  for (const file of files) {
    for (const index of file.chunks.keys()) {
      const start = index * file.chunkBytes;
      const right = bytes.get(file.file).subarray(start, start + file.chunkBytes);
      if (isSame(kept.chunk(file, index) ?? undefined, right)) sum += right.length;
    }
  }
  return sum;
}

/** @returns {number} bytes of the model at the beginning of chunks that are not whole, kept and right */
function begunBytes(kept, { files, bytes }) {
  let sum = 0;
  for (const file of files) {
    for (const index of file.chunks.keys()) {
      const begun = kept.begun(file, index);
      const start = index * file.chunkBytes;
      if (isSame(begun, bytes.get(file.file).subarray(start, start + begun.length))) sum += begun.length;
    }
  }
  return sum;
}

/** @returns {Promise<any>} the manifest by which a visit without a network would go */
async function manifestOf(place, kept) {
  const mount = PLACES[place].mount(kept, () => null);
  return JSON.parse((await new Library(await mount.open()).keptOf(BASE))?.manifest ?? 'null');
}

/**
 * @param {string} place
 * @param {object} kept what the visits have left
 * @param {object[]} versions of which the one on record must be whole
 * @returns {Promise<string[]>}
 */
export async function wrongOnRecord(place, kept, versions) {
  const manifest = await manifestOf(place, kept);
  if (manifest === null) return [];
  const version = versions.find((model) => model.manifest.version === manifest.version);
  if (!version) return [`unknown manifest on record: ${JSON.stringify(manifest)}`];
  const missing = version.total - keptBytes(kept, version);
  return missing ? [`version ${manifest.version} is on record as whole, and lacks ${missing} bytes`] : [];
}

/**
 * Heals: the next visit without faults works and fetches what was not kept, the one after it fetches nothing.
 *
 * @param {object} model
 * @param {string} place
 * @param {object} kept
 * @returns {Promise<string[]>}
 */
export async function heal(model, place, kept) {
  const missing = model.total - keptBytes(kept, model) - begunBytes(kept, model);
  const second = new Visit(model, { place, kept });
  const { code, wrong } = await second.outcome();
  if (code !== 'none') return [...wrong, `stuck: ${code}`];
  if (second.progress.fetched !== missing) wrong.push(`fetched ${second.progress.fetched} where ${missing} bytes were missing`);
  const third = new Visit(model, { place, kept });
  wrong.push(...(await third.outcome()).wrong);
  if (third.network.requests > 0) wrong.push(`fetched again: ${third.network.requests} requests`);
  const { bystander = { files: [], total: 0 } } = kept;
  if (keptBytes(kept, bystander) !== bystander.total) wrong.push('another model has lost bytes');
  const own = new Set([...model.files, ...bystander.files].map((file) => file.sha256));
  const left = kept.names().filter((name) => !own.has(name));
  if (left.length > 0) wrong.push(`${left.length} files of nobody stay`);
  return [...wrong, ...(await wrongOnRecord(place, kept, [model]))];
}

/** @returns {Promise<object>} a store with a whole version on it */
export async function withVersion(model, place, base = BASE, kept = PLACES[place].make()) {
  await new Visit(model, { place, kept, base }).outcome();
  return kept;
}

/** Another model is loaded again; what no record names goes with that. */
export async function visitBystander(kept, place) {
  await withVersion(kept.bystander, place, OTHER_BASE, kept);
}

/** @returns {Promise<object>} a store with a whole version on it, and another model that must stay: see `heal` */
export async function withBystander(model, place) {
  const bystander = await makeModel('one');
  const kept = await withVersion(bystander, place, OTHER_BASE);
  return withVersion(model, place, BASE, Object.assign(kept, { bystander }));
}
