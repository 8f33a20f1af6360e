/** Takes the states of a generator out of the GPU and puts them back: what a conversation has cost to read. */

import { StateInvalidError, throwIfAborted } from '../errors.js';
import { historyOf } from '../generation/history.js';
import { readAnew } from '../generation/prefill.js';
import { sha256 } from '../hashing.js';
import { visitedFiles } from '../manifest.js';
import { Readback } from '../readback.js';
import { pack, unpack } from './state_file.js';

/** @typedef {import('../session.js').Session} Session */
/** @typedef {import('../lasting_session.js').LastingSession} LastingSession */
/** @typedef {import('../plan.js').PlanBuffer} PlanBuffer */
/** @typedef {{ buffer: GPUBuffer, bytes: number }} Part the beginning of a buffer */

/** @param {Session} session @returns {Promise<import('./state_file.js').Owner>} what its states are of use to */
async function ownerOf({ manifest, plan: { tier } }) {
  const { plan, tokenizer, shards } = visitedFiles(manifest, tier);
  const hashes = [plan, ...tokenizer, ...shards].map((file) => file.sha256);
  return { tier, files: await sha256(new TextEncoder().encode(hashes.join(''))) };
}

/**
 * Keys and values have a row a position, so that of them only what was read counts.
 *
 * @param {PlanBuffer} buffer
 * @param {number} past rows that there are
 * @param {{ tokens: number, saved: number }} seen
 * @returns {number} bytes
 */
function usedBytes({ kind, role, bytes }, past, { tokens, saved }) {
  if (kind === 'snapshot') return saved > 0 ? bytes : 0;
  if (kind !== 'state' || tokens === 0) return 0;
  const isRows = role === 'key' || role === 'value';
  return isRows ? Math.min(bytes, Math.ceil((bytes / past) * tokens / 4) * 4) : bytes;
}

/** @param {Session} session @param {{ tokens: number, saved: number }} seen @returns {Part[]} */
function partsOf({ plan, buffers }, seen) {
  const parts = plan.buffers.map((buffer, i) => ({
    buffer: buffers.made[i], bytes: usedBytes(buffer, plan.symbols.past, seen),
  }));
  return parts.filter(({ bytes }) => bytes > 0);
}

/** @param {Session} session @param {Part[]} parts @param {AbortSignal} signal @returns {Promise<Uint8Array<ArrayBuffer>[]>} */
async function readParts({ device }, parts, signal) {
  if (parts.length === 0) return [];
  const readback = await Readback.create(device, Math.max(...parts.map(({ bytes }) => bytes)), 1);
  try {
    const found = [];
    for (const { buffer, bytes } of parts) {
      throwIfAborted(signal);
      const encoder = device.gpu.createCommandEncoder();
      found.push(new Uint8Array(await readback.submit(encoder, [{ from: buffer, bytes }])));
    }
    return found;
  } finally {
    readback.destroy();
  }
}

/** @param {Session} session @param {number[]} ids that it has seen, or that one on a lost device had @param {AbortSignal} signal */
async function save(session, ids, signal) {
  const history = historyOf(session);
  if (history.held.length < ids.length) await readAnew(session, ids, { signal });
  const { saved } = history;
  const parts = partsOf(session, { tokens: ids.length, saved });
  return pack(await ownerOf(session), { ids, saved, parts: await readParts(session, parts, signal) });
}

/**
 * @param {LastingSession} lasting
 * @param {AbortSignal} signal
 * @returns {Promise<ArrayBuffer>}
 */
export async function saveState(lasting, signal) {
  // Ids outlive the GPU: where it is lost by now, or is in what follows, another reads them again.
  const { held } = historyOf(lasting.session);
  return lasting.run((session) => save(session, held, signal), signal);
}

/** @param {Session} session @param {import('./state_file.js').Contents} contents @returns {Part[]} that they are for */
function expectFitting(session, { ids, saved, parts }) {
  const { context, vocabulary } = session.manifest;
  const refuse = (/** @type {string} */ reason, /** @type {string} */ what) => {
    throw new StateInvalidError(what, { reason });
  };
  if (ids.length > context) refuse('too-long', `The state has ${ids.length} tokens, and the model reads ${context} at most`);
  if (ids.some((id) => id >= vocabulary)) refuse('damaged', `The state has tokens that are not below ${vocabulary}`);
  const places = partsOf(session, { tokens: ids.length, saved });
  const fits = places.length === parts.length && places.every(({ bytes }, i) => bytes === parts[i].length);
  if (!fits) refuse('damaged', 'The state has other buffers than the model');
  return places;
}

/** @param {Session} session @param {Uint8Array<ArrayBuffer>} bytes @param {AbortSignal} signal @returns {Promise<number>} */
async function restore(session, bytes, signal) {
  const contents = await unpack(bytes, await ownerOf(session));
  const places = expectFitting(session, contents);
  throwIfAborted(signal);
  const history = historyOf(session);
  history.forget();
  const { queue } = session.device.gpu;
  places.forEach(({ buffer }, i) => queue.writeBuffer(buffer, 0, contents.parts[i]));
  await session.device.settle(queue.onSubmittedWorkDone());
  history.hold(contents.ids, contents.saved);
  return contents.ids.length;
}

/**
 * @param {LastingSession} lasting
 * @param {Blob} state
 * @param {AbortSignal} signal
 * @returns {Promise<number>} tokens that the model need not read again
 * @throws {StateInvalidError} and then nothing is changed
 */
export async function restoreState(lasting, state, signal) {
  const bytes = await state.arrayBuffer().catch((cause) => {
    throw new StateInvalidError(`The saved state cannot be read: ${cause.message}`, { reason: 'damaged' });
  });
  return lasting.run((session) => restore(session, new Uint8Array(bytes), signal), signal);
}
