/** Opens an adapter over a loaded base: its files, and of the GPU what the base does not have already. */

import { kernelsOf } from '../choices/choices.js';
import { throwIfAborted } from '../errors.js';
import { parseJson } from '../http.js';
import { visitedFiles } from '../manifest.js';
import { fetchOrKept } from '../manifest_source.js';
import { memoryNeeded } from '../memory.js';
import { readPlan } from '../plan.js';
import { Binder, Player } from '../player.js';
import { Progress } from '../progress.js';
import { fetchWeights } from '../session.js';
import { bringWhole } from '../transfer/bring.js';
import { recordedLoad } from '../transfer/recorded_load.js';
import { makeSupply } from '../transfer/supply.js';
import { featureFault, limitFault, memoryFault } from '../verdict.js';
import { expectBase, readAdapterManifest } from './adapter_manifest.js';
import { makeBuffers, shareBuffers } from './shared_buffers.js';
import { sharePipelines } from './shared_pipelines.js';
import { expectReadOnly } from './weight_access.js';

/** @typedef {import('../session.js').Session} Session */
/** @typedef {import('../plan.js').Plan} Plan */
/** @typedef {import('../transfer/supply.js').Supply} Supply */
/** @typedef {import('./adapter_manifest.js').AdapterManifest} AdapterManifest */
/**
 * @typedef {object} Known what of an adapter no GPU holds
 * @property {AdapterManifest} adapter
 * @property {Session['manifest']} manifest the base's, with the adapter's plans and its shard behind the base's
 * @property {Plan} plan
 * @property {string} url of the adapter's folder, ending in a slash
 */
/**
 * @typedef {object} Made
 * @property {Session} session the base's, with the adapter's plan
 * @property {GPUBuffer[]} own what must be freed with it
 * @property {number} bytes of these
 * @property {number} fetched bytes that came over the network
 */
/** @typedef {Known & Made} Opened */

/** @param {Session} base @param {string} url @param {AbortSignal} signal @returns {Promise<{ adapter: AdapterManifest, text: string }>} */
async function findAdapterManifest({ store }, url, signal) {
  const address = `${url}manifest.json`;
  const bytes = await fetchOrKept(url, address, { signal, store });
  return { adapter: readAdapterManifest(parseJson(bytes, address), address), text: new TextDecoder().decode(bytes) };
}

/** @param {Session} base @param {Session['manifest']} manifest with the adapter's plans, of which one is for the base's tier */
function expectDevice({ device, plan }, { plans }) {
  const record = /** @type {import('../manifest.js').PlanRecord} */ (plans[plan.tier]);
  const fault = featureFault(record, plan.tier, device.gpu) ?? limitFault(record, device.gpu);
  if (fault) throw fault;
}

/** @param {Plan} plan @param {import('../choices/choices.js').Picks} played by the base @returns {import('../choices/choices.js').Picks} */
function picksFor({ choices }, played) {
  const pick = (/** @type {string} */ family, /** @type {string[]} */ names) =>
    (names.includes(played[family]) ? played[family] : names[0]);
  return Object.fromEntries(Object.entries(choices).map(([family, names]) => [family, pick(family, names)]));
}

/**
 * Records every phase and submits nothing: what the GPU would refuse later, and then of the base as well, it refuses now.
 *
 * @param {Session} session
 */
async function rehearse({ device, player, plan }) {
  const symbols = { tokens: 1, past: 0, sequences: 1 };
  await device.guarded('Playing the adapter', () => {
    const encoder = device.gpu.createCommandEncoder();
    for (const tokens of [1, plan.symbols.tokens]) {
      for (const phase of player.phases.keys()) player.play(encoder, phase, { ...symbols, tokens });
    }
    return encoder.finish();
  });
}

/**
 * @param {Session} base
 * @param {Known} adapter
 * @param {import('./shared_buffers.js').Sharing} sharing
 * @param {{ supply: Supply, compiled: import('./shared_pipelines.js').Compiled[], own: GPUBuffer[] }} parts `own` gets what is made
 * @returns {Promise<Session>}
 */
async function assemble(base, { manifest, plan }, sharing, { supply, compiled, own }) {
  const { device, tuning } = base;
  const picks = picksFor(plan, tuning.played);
  const made = await makeBuffers(base, plan.buffers, sharing);
  own.push(...made.own);
  const failing = new AbortController();
  const ending = { ...supply, signal: AbortSignal.any([supply.signal, failing.signal]) };
  const weights = fetchWeights(manifest, ending, made.buffers, base.manifest.shards.length);
  const compiling = sharePipelines(device, plan, kernelsOf(plan, picks), compiled);
  const [pipelines] = await Promise.all([compiling, weights]).catch(async (cause) => {
    failing.abort();
    // A chunk that has come is still written, and a buffer that is freed by then would be the device's fault.
    await weights.catch(() => undefined);
    throw cause;
  });
  made.buffers.fillTables();
  const player = await Player.create(device, plan, new Binder(device.gpu, made.buffers.made, pipelines), picks);
  return { ...base, manifest, plan, buffers: made.buffers, pipelines, player };
}

/** @param {Session} base @param {string} url @param {AbortSignal} signal @returns {Supply} of the adapter's files */
function supplyOf({ store }, url, signal) {
  return makeSupply(url, store, new Progress(() => undefined, 0), signal);
}

/**
 * @param {Session} base
 * @param {Known} known
 * @param {Supply} supply
 * @param {{ held: number, compiled: import('./shared_pipelines.js').Compiled[] }} beside
 * @returns {Promise<Opened>}
 */
async function make(base, known, supply, { held, compiled }) {
  const sharing = shareBuffers(base, known.plan.buffers, known.url);
  const fault = memoryFault(memoryNeeded(base.manifest, base.plan) + held + sharing.bytes);
  if (fault) throw fault;
  /** @type {GPUBuffer[]} */
  const own = [];
  try {
    const session = await assemble(base, known, sharing, { supply, compiled, own });
    await rehearse(session);
    throwIfAborted(supply.signal);
    return { ...known, session, own, bytes: sharing.bytes, fetched: supply.progress.fetched };
  } catch (cause) {
    for (const buffer of own) buffer.destroy();
    throw cause;
  }
}

/**
 * @param {Session} base
 * @param {string} url of the adapter's folder, ending in a slash
 * @param {{ signal: AbortSignal, held: number, compiled: import('./shared_pipelines.js').Compiled[] }} options `held`: bytes on
 *   the GPU beside the base's; `compiled`: which kernels are already
 * @returns {Promise<Opened>}
 * @throws {import('../errors.js').EngineError} and then nothing of it is left on the GPU
 */
export async function openAdapter(base, url, { signal, ...beside }) {
  const { adapter, text } = await findAdapterManifest(base, url, signal);
  const { tier } = base.plan;
  await expectBase(adapter, base.manifest, tier, url);
  const manifest = { ...base.manifest, shards: [...base.manifest.shards, adapter.shard], plans: adapter.plans };
  expectDevice(base, manifest);
  const supply = supplyOf(base, url, signal);
  const { plan: file } = visitedFiles(manifest, tier);
  const version = { title: adapter.name, files: [file, adapter.shard], text };
  return recordedLoad(version, supply, async () => {
    const address = url + file.file;
    const plan = readPlan(parseJson(await bringWhole(file, supply), address), address, manifest, tier);
    expectReadOnly(plan, base.manifest.shards.length, url);
    return make(base, { adapter, manifest, plan, url }, supply, beside);
  });
}

/**
 * @param {Session} base on another device
 * @param {Known} known
 * @param {AbortSignal} signal
 * @returns {Promise<Opened>} the same, of what the store has kept
 */
export async function reopenAdapter(base, known, signal) {
  expectDevice(base, known.manifest);
  return make(base, known, supplyOf(base, known.url, signal), { held: 0, compiled: [base] });
}
