/** Opens a model in the worker: device, files, buffers and pipelines, or nothing at all. */

import { Buffers, inWords } from './buffers.js';
import { kernelsOf } from './choices/choices.js';
import { openDecoder } from './coding/decoder.js';
import { Device } from './device.js';
import { throwIfAborted } from './errors.js';
import { parseJson } from './http.js';
import { fetchedShards, visitedFiles } from './manifest.js';
import { READBACK_SLOTS } from './memory.js';
import { compilePipelines } from './pipelines.js';
import { readPlan } from './plan.js';
import { Binder, Player } from './player.js';
import { Progress } from './progress.js';
import { Readback } from './readback.js';
import { Losses } from './recovery.js';
import { LoadRecords } from './storage/load_records.js';
import { fetchTokenizer } from './tokenizer/files.js';
import { bring, bringWhole } from './transfer/bring.js';
import { BufferPool } from './transfer/buffer_pool.js';
import { keptLoad, nothingLoaded } from './transfer/kept_load.js';
import { makeSupply } from './transfer/supply.js';
import { Tuning } from './choices/tuning.js';

/** @typedef {import('./manifest.js').Manifest} Manifest */
/** @typedef {import('./manifest.js').Tier} Tier */
/** @typedef {import('./transfer/supply.js').Supply} Supply */
/**
 * @typedef {object} LoadRequest
 * @property {string} base the folder's address
 * @property {Manifest} manifest
 * @property {string} text of the manifest, to be kept with the files
 * @property {Tier} tier
 * @property {import('./choices/tuning.js').Tune} [tune]
 */
/**
 * @typedef {object} Session
 * @property {Manifest} manifest
 * @property {import('./plan.js').Plan} plan
 * @property {Device} device
 * @property {Buffers} buffers
 * @property {Player} player
 * @property {Map<number, GPUComputePipeline>} pipelines by kernel
 * @property {import('./storage/store.js').Store} store
 * @property {import('./tokenizer.js').TextTokenizer} tokenizer
 * @property {unknown} chatTemplate what the file holds that carries it; null where it is data, or absent
 * @property {Readback} readback for what an encoder gives, or for step and ring
 * @property {Readback | null} logitsReadback text generation only
 * @property {Tuning} tuning
 * @property {import('./transfer/kept_load.js').Loaded} loaded
 */
/** @typedef {Pick<Session, 'plan' | 'tokenizer' | 'chatTemplate' | 'tuning'>} Remembered what a session knows that no GPU holds */
/** @typedef {(session: Session, signal: AbortSignal) => Promise<number>} Rehearse plays a known answer; gives its ms */
/**
 * @typedef {object} Parts
 * @property {Supply} supply
 * @property {Rehearse} rehearse
 * @property {Remembered} [remembered] of a session whose device is lost
 */

const CONNECTIONS = 4;

/** @param {LoadRequest} request @param {Supply} supply @returns {Promise<import('./plan.js').Plan>} */
async function fetchPlan({ base, manifest, tier }, supply) {
  const { plan } = visitedFiles(manifest, tier);
  const url = base + plan.file;
  return readPlan(parseJson(await bringWhole(plan, supply), url), url, manifest, tier);
}

/**
 * @param {Manifest} manifest
 * @param {Buffers} buffers
 * @param {number} index of the shard
 * @param {import('./coding/decoder.js').Decoder | null} decode
 * @returns {import('./transfer/file_transfer.js').Sink}
 */
function sinkOf({ shards, coded }, buffers, index, decode) {
  const ranges = buffers.rangesOf(index);
  if (!coded[index] || !decode) return (chunk, offset) => buffers.upload(ranges, inWords(chunk), offset);
  return (chunk) => {
    const { start, bytes } = decode(chunk, shards[index].bytes);
    return buffers.upload(ranges, bytes, start);
  };
}

/** @param {Manifest} manifest @param {Supply} supply @param {Buffers} buffers @param {number} [first] shard to fetch */
export async function fetchWeights(manifest, supply, buffers, first = 0) {
  const decode = await openDecoder(manifest, first);
  const queue = fetchedShards(manifest).map((file, i) => ({ file, sink: sinkOf(manifest, buffers, i, decode) })).slice(first);
  const largest = Math.max(0, ...queue.map(({ file }) => Math.min(file.bytes, file.chunkBytes)));
  const pool = new BufferPool(CONNECTIONS, Math.ceil(largest / 4) * 4);
  const carry = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      await bring(next.file, supply, pool, next.sink);
    }
  };
  await Promise.all(Array.from({ length: Math.min(CONNECTIONS, queue.length) }, carry));
  await buffers.flush();
}

/** @param {Device} device @param {Manifest} manifest @param {Buffers} buffers */
async function makeReadbacks(device, manifest, buffers) {
  if (manifest.task !== 'text-generation') {
    const { size } = buffers.get(manifest.task === 'sentence-embedding' ? 'embedding' : 'logits');
    return { readback: await Readback.create(device, size, READBACK_SLOTS), logitsReadback: null };
  }
  const bytes = buffers.step.size + buffers.get('ring').size;
  return {
    readback: await Readback.create(device, bytes, READBACK_SLOTS),
    logitsReadback: await Readback.create(device, manifest.vocabulary * 4, 1),
  };
}

/** @param {LoadRequest} request @param {Device} device @param {Supply} supply @returns {Promise<Remembered>} */
async function learn(request, device, supply) {
  const [plan, texts] = await Promise.all([fetchPlan(request, supply), fetchTokenizer(request, supply)]);
  const note = noteOf(request, device, supply.store);
  return { plan, ...texts, tuning: await Tuning.open(plan, request.tune ?? 'auto', note, device.software) };
}

/**
 * @param {LoadRequest} request
 * @param {Device} device
 * @param {Parts} parts
 * @returns {Promise<Session>}
 */
async function assemble(request, device, { supply, rehearse, remembered }) {
  const { manifest } = request;
  const { plan, tuning, ...texts } = remembered ?? (await learn(request, device, supply));
  const buffers = await Buffers.create(plan.buffers, device);
  const compiling = compilePipelines(device, plan, kernelsOf(plan, tuning.picks));
  const weights = fetchWeights(manifest, supply, buffers).then(() => supply.progress.enter('compile'));
  buffers.fillTables();
  const [pipelines] = await Promise.all([compiling, weights]);
  const binder = new Binder(device.gpu, buffers.made, pipelines);
  await tuning.finish({ device, buffers, binder }, supply.signal);
  const player = await Player.create(device, plan, binder, tuning.played);
  const readbacks = await makeReadbacks(device, manifest, buffers);
  throwIfAborted(supply.signal);
  device.check();
  const made = { manifest, plan, device, buffers, player, pipelines, tuning, store: supply.store, ...texts, ...readbacks };
  const session = { ...made, loaded: nothingLoaded() };
  session.loaded.canaryMs = await rehearse(session, supply.signal);
  return session;
}

/**
 * @param {LoadRequest} request
 * @param {Device} device
 * @param {import('./storage/store.js').Store} store
 * @returns {Parameters<typeof Tuning.open>[2]} where the tuning of an adapter is noted
 */
function noteOf({ base, manifest, tier }, { info }, store) {
  const records = new LoadRecords(store);
  const key = `${visitedFiles(manifest, tier).plan.sha256} tuned 1 ${JSON.stringify(info)}`;
  return {
    read: () => records.readNote(base, key),
    write: (note) => records.writeNote(base, key, note).catch(() => undefined),
  };
}

/** @param {LoadRequest} request @param {Parts} parts @returns {Promise<Session>} */
async function openOnDevice(request, parts) {
  const record = /** @type {import('./manifest.js').PlanRecord} */ (request.manifest.plans[request.tier]);
  const device = await Device.open(record.features, record.limits);
  const failing = new AbortController();
  const supply = { ...parts.supply, signal: AbortSignal.any([parts.supply.signal, failing.signal]) };
  try {
    return await assemble(request, device, { ...parts, supply });
  } catch (cause) {
    failing.abort();
    const fault = await device.reasonOf(cause);
    device.destroy();
    throw fault;
  }
}

/**
 * On a new device, with what the session knows and the weights that the store has kept.
 *
 * @param {LoadRequest} request
 * @param {Session} session whose device is lost
 * @param {Rehearse} rehearse
 * @param {AbortSignal} signal
 * @returns {Promise<Session>}
 */
export async function reopenSession(request, session, rehearse, signal) {
  const supply = makeSupply(request.base, session.store, new Progress(() => undefined, 0), signal);
  const { plan, tokenizer, chatTemplate, tuning } = session;
  const remembered = { plan, tokenizer, chatTemplate, tuning: tuning.decided() };
  return openOnDevice(request, { supply, rehearse, remembered });
}

/**
 * @param {LoadRequest} request
 * @param {(event: import('./progress.js').ProgressEvent) => void} report
 * @param {AbortSignal} signal
 * @param {import('./transfer/gate.js').Gate} [gate]
 * @param {{ losses?: Losses, rehearse?: Rehearse }} [parts] nothing is rehearsed unless said
 * @returns {Promise<Session>}
 */
export async function openSession(request, report, signal, gate, parts = {}) {
  const { losses = new Losses(() => undefined), rehearse = async () => 0 } = parts;
  const { plan, tokenizer, shards } = visitedFiles(request.manifest, request.tier);
  const visit = { ...request, files: [plan, ...tokenizer, ...shards] };
  return keptLoad(visit, { report, signal, gate }, (begin) =>
    losses.outlive(async () => openOnDevice(request, { supply: begin(), rehearse })));
}
