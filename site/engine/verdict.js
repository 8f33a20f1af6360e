/** Says, before any weight is fetched, whether this device can run a model, on what, and with which tier. */

import {
  BadArgumentError, EngineError, GpuBlockedError, LimitExceededError, MissingFeatureError, NoAdapterError,
  NotEnoughMemoryError, NoWasmError, NoWebGpuError,
} from './errors.js';
import { bytesOf, LIMIT_KEYS, TIERS, visitedFiles } from './manifest.js';
import { memoryNeeded } from './memory.js';

/** @typedef {import('./manifest.js').Manifest} Manifest */
/** @typedef {import('./manifest.js').PlanRecord} PlanRecord */
/** @typedef {import('./manifest.js').Tier} Tier */
/**
 * @typedef {object} Verdict
 * @property {boolean} ok
 * @property {string | null} code of the error that `load` would throw
 * @property {string | null} reason its message
 * @property {number | null} needed the two numbers of the reason, where it has them
 * @property {number | null} available
 * @property {'webgpu' | 'wasm'} backend what `load` would take
 * @property {Tier | null} tier null without WebGPU
 * @property {number} downloadBytes plan, tokenizer and weights; without WebGPU model.onnx and the runtime for a plan
 * @property {number} memoryBytes of the GPU, all buffers; without WebGPU an estimate of the most that loading takes
 */
/**
 * @typedef {object} Assessment what `load` would take, and what is in its way
 * @property {Verdict['backend']} backend
 * @property {Tier | null} tier
 * @property {EngineError | null} fault
 * @property {import('./manifest.js').ChunkedFile[]} files of a visit
 * @property {number} memoryBytes
 * @property {boolean} graphics whether a graphics processor would compute, and no program in its place
 * @property {import('./wasm/runtime.js').Runtime | null} runtime what computes without WebGPU
 */
/** @typedef {Pick<GPUAdapter, 'features' | 'limits'>} Capability */

/** Browsers round the machine's memory down and cap it at 8 GiB or more: from there on it says nothing. */
const KNOWN_MEMORY_GIB = 8;

/** A GPU process that crashed takes a moment to start again, and for so long there is no adapter. */
const TRIES_AFTER_CRASH = 6;
const BETWEEN_TRIES_MS = 300;

/** @param {GPU} gpu @param {number} tries @returns {Promise<GPUAdapter | null>} */
async function askFor(gpu, tries) {
  for (let left = tries; ;) {
    const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
    left -= 1;
    if (adapter || left === 0) return adapter;
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_TRIES_MS));
  }
}

/** Whether the browser has given an adapter: where it then gives none, it blocks the page for crashes of the GPU. */
let given = false;

/**
 * @param {boolean} [before] whether the page had one already, as this realm may not know
 * @returns {Promise<GPUAdapter>}
 */
export async function findAdapter(before = given) {
  const { gpu } = navigator;
  if (!gpu) throw new NoWebGpuError('This page has no WebGPU');
  const adapter = await askFor(gpu, before ? TRIES_AFTER_CRASH : 1);
  if (!adapter && before) throw new GpuBlockedError('The browser offers the GPU no more');
  if (!adapter) throw new NoAdapterError('The browser offers no GPU adapter');
  given = true;
  return adapter;
}

/** @param {PlanRecord} record @param {Tier} tier @param {Capability} adapter @returns {EngineError | null} */
export function featureFault(record, tier, adapter) {
  const missing = record.features.filter((feature) => !adapter.features.has(feature));
  if (missing.length === 0) return null;
  return new MissingFeatureError(`The GPU lacks ${missing.join(', ')}, which the tier ${tier} needs`, { tier });
}

/** @param {PlanRecord} record @param {Capability} adapter @returns {EngineError | null} */
export function limitFault(record, adapter) {
  const limit = LIMIT_KEYS.find((key) => record.limits[key] > adapter.limits[key]);
  if (!limit) return null;
  const needed = record.limits[limit];
  const available = adapter.limits[limit];
  return new LimitExceededError(
    `The model needs ${limit} ${needed}, and the GPU has ${available}`, { limit, needed, available },
  );
}

/** @param {number} needed bytes @returns {EngineError | null} */
export function memoryFault(needed) {
  const { deviceMemory } = /** @type {Navigator & { deviceMemory?: number }} */ (navigator);
  if (deviceMemory === undefined || deviceMemory >= KNOWN_MEMORY_GIB) return null;
  const available = deviceMemory * 2 ** 30;
  if (needed <= available) return null;
  return new NotEnoughMemoryError(
    `The model needs ${needed} bytes of memory, and this device has ${available}`, { needed, available },
  );
}

/** @param {Manifest} manifest @param {Tier | undefined} wanted @returns {Tier[]} best first */
function candidates({ plans }, wanted) {
  const present = TIERS.filter((tier) => plans[tier]);
  if (wanted === undefined) return present;
  if (!present.includes(wanted)) {
    throw new BadArgumentError(`The model has no tier "${wanted}", only ${present.join(', ')}`, { tier: wanted });
  }
  return [wanted];
}

/**
 * @param {Manifest} manifest
 * @param {Capability} adapter
 * @param {Tier} [wanted]
 * @returns {{ tier: Tier, fault: EngineError | null }} the best tier that fits, or the plainest and what it lacks
 */
export function chooseTier(manifest, adapter, wanted) {
  const judged = candidates(manifest, wanted).map((tier) => {
    const record = /** @type {PlanRecord} */ (manifest.plans[tier]);
    const fault = featureFault(record, tier, adapter) ?? limitFault(record, adapter)
      ?? memoryFault(memoryNeeded(manifest, record));
    return { tier, fault };
  });
  return judged.find(({ fault }) => fault === null) ?? judged[judged.length - 1];
}

/**
 * @param {Manifest} manifest
 * @param {Tier} [wanted]
 * @returns {Promise<Assessment>}
 */
async function assessGpu(manifest, wanted) {
  const [plainest] = candidates(manifest, wanted).slice(-1);
  try {
    const adapter = await findAdapter();
    const { tier, fault } = chooseTier(manifest, adapter, wanted);
    return onGpu(manifest, tier, fault, !adapter.info.isFallbackAdapter);
  } catch (cause) {
    if (cause instanceof NoWebGpuError || cause instanceof NoAdapterError) return onGpu(manifest, plainest, cause, false);
    // There is a graphics processor, and a reload of the page gives it back.
    if (cause instanceof GpuBlockedError) return onGpu(manifest, plainest, cause, true);
    throw cause;
  }
}

/** @param {Manifest} manifest @param {Tier} tier @param {EngineError | null} fault @param {boolean} graphics @returns {Assessment} */
function onGpu(manifest, tier, fault, graphics) {
  const { plan, tokenizer, shards } = visitedFiles(manifest, tier);
  const memoryBytes = memoryNeeded(manifest, /** @type {PlanRecord} */ (manifest.plans[tier]));
  return { backend: 'webgpu', tier, fault, files: [plan, ...tokenizer, ...shards], memoryBytes, graphics, runtime: null };
}

/**
 * WebGPU where there is a graphics processor; else WebAssembly, where that can be had: a program in the place of a graphics
 * processor is many times slower. A tier is of WebGPU, so whoever names one asks for it.
 *
 * @param {Manifest} manifest
 * @param {{ backend: import('./index.js').Backend, tier?: Tier, signal?: AbortSignal }} wanted
 * @returns {Promise<Assessment>}
 */
export async function assess(manifest, { backend, tier, signal }) {
  const gpu = backend === 'wasm' ? null : await assessGpu(manifest, tier);
  if (gpu && (backend === 'webgpu' || tier || gpu.graphics)) return gpu;
  const { assessWasm } = await import('./wasm/assess.js');
  const wasm = await assessWasm(manifest, signal);
  if (!gpu || !wasm.fault) return wasm;
  return gpu.fault && !(wasm.fault instanceof NoWasmError) ? wasm : gpu;
}

/** @param {Assessment} assessment @returns {Verdict} */
export function verdict({ backend, tier, fault, files, memoryBytes }) {
  const { needed = null, available = null } = fault?.fields ?? {};
  return {
    ok: fault === null,
    code: fault?.code ?? null,
    reason: fault?.message ?? null,
    needed: /** @type {number | null} */ (needed),
    available: /** @type {number | null} */ (available),
    backend,
    tier,
    downloadBytes: bytesOf(files),
    memoryBytes,
  };
}
