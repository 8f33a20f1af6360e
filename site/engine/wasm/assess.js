/** Says, before any weight is fetched, whether this device can run a model without WebGPU, and at what price. */

import { AbortedError, EngineError, NoWasmError } from '../errors.js';
import { bytesOf, filesOf } from '../manifest.js';
import { memoryFault } from '../verdict.js';
import { findRuntime } from './runtime.js';

/** @typedef {import('../manifest.js').Manifest} Manifest */
/** @typedef {import('../verdict.js').Assessment} Assessment */
/** @typedef {import('./runtime.js').Runtime} Runtime */

/** The states that are read and made, and the two that stay for the next prompt. */
const COPIES_OF_STATES = 4;

/** @param {Manifest} manifest @param {AbortSignal} signal @returns {Promise<Assessment>} */
export async function assessWasm(manifest, signal) {
  const price = { files: wasmFiles(manifest), memoryBytes: 0, runtime: null };
  const rest = /** @type {const} */ ({ backend: 'wasm', tier: null, graphics: false });
  try {
    expectPossible(manifest);
    const runtime = await findRuntime(signal);
    const memoryBytes = mostMemory(manifest, runtime);
    const files = [runtime.binary, ...wasmFiles(manifest)];
    return { ...rest, files, memoryBytes, runtime, fault: memoryFault({ memory: { total: memoryBytes } }) };
  } catch (cause) {
    if (!(cause instanceof EngineError) || cause instanceof AbortedError) throw cause;
    return { ...rest, ...price, fault: cause instanceof NoWasmError ? cause : absent(cause) };
  }
}

/** @param {EngineError} cause @returns {NoWasmError} */
function absent({ code, fields }) {
  return new NoWasmError(`This site cannot give what computes without WebGPU: ${fields.url} (${code})`, fields);
}

/** @param {Manifest} manifest */
function expectPossible(manifest) {
  if (!globalThis.isSecureContext) throw new NoWasmError('The page is opened neither over https nor on localhost');
  if (filesOf(manifest, 'onnx').length !== 1) throw new NoWasmError(`${manifest.name} has no model.onnx`);
}

/** @param {Manifest} manifest @returns {import('../manifest.js').ChunkedFile[]} of a visit, but the runtime's */
export function wasmFiles(manifest) {
  return [...filesOf(manifest, 'onnx'), ...filesOf(manifest, 'tokenizer'), ...manifest.shards];
}

/**
 * Loading is the peak: the weights as they came, and their copy in WebAssembly's memory. What comes beside it, while it
 * computes, is about what a plan says of activations and states.
 *
 * @param {Manifest} manifest
 * @param {Runtime} runtime
 * @returns {number} bytes, about
 */
function mostMemory(manifest, { binary, unpackedBytes }) {
  const [{ memory }] = Object.values(manifest.plans);
  const weights = bytesOf(manifest.shards);
  return binary.bytes + 2 * unpackedBytes + 2 * weights + memory.activations + COPIES_OF_STATES * memory.states;
}
