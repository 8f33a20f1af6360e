/** Says, before any weight is fetched, whether this device can run a model without WebGPU, and at what price. */

import { AbortedError, EngineError, NoWasmError } from '../errors.js';
import { bytesOf, fetchedShards, filesOf } from '../manifest.js';
import { memoryFault } from '../verdict.js';
import { findRuntime } from './runtime.js';

/** @typedef {import('../manifest.js').Manifest} Manifest */
/** @typedef {import('../verdict.js').Assessment} Assessment */

/** A plan counts a state and its snapshot; here there are those that are read and made, and two for the next prompt. */
const COPIES_OF_STATES = 2;
/** What Chromium was seen to take for compiled code, threads and heaps, whatever the model. */
const RUNTIME_BYTES = 160_000_000;
/** Of the weights: as they came, in WebAssembly's memory, and as they are multiplied, which for blocks is float32. */
const COPIES = { f32: 3, blocks: 5 };

/** @param {Manifest} manifest @param {AbortSignal} [signal] @returns {Promise<Assessment>} */
export async function assessWasm(manifest, signal) {
  const price = { files: wasmFiles(manifest), memoryBytes: 0, runtime: null };
  const rest = /** @type {const} */ ({ backend: 'wasm', tier: null, graphics: false });
  try {
    expectPossible(manifest);
    const runtime = await findRuntime(signal);
    const memoryBytes = mostMemory(manifest);
    const files = [runtime.binary, ...wasmFiles(manifest)];
    return { ...rest, files, memoryBytes, runtime, fault: memoryFault(memoryBytes) };
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
  return [...filesOf(manifest, 'onnx'), ...filesOf(manifest, 'tokenizer'), ...fetchedShards(manifest)];
}

/** @param {Manifest} manifest @returns {number} bytes, near what four models were seen to take (docs/engine.md) */
function mostMemory({ plans, shards, quantization }) {
  const [{ memory }] = Object.values(plans);
  const copies = quantization === 'f32' ? COPIES.f32 : COPIES.blocks;
  return RUNTIME_BYTES + copies * bytesOf(shards) + COPIES_OF_STATES * memory.states;
}
