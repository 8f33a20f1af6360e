/** onnxruntime-web, which computes where there is no WebGPU. It lies beside the engine in the folder `runtime`. */

import { NoWasmError } from '../errors.js';
import { parseJson } from '../http.js';
import { JsonReader } from '../json_reader.js';
import { findDescription } from '../manifest_source.js';
import { readShard } from '../manifest.js';
import { bring } from '../transfer/bring.js';
import { BufferPool } from '../transfer/buffer_pool.js';
import { recordedLoad } from '../transfer/recorded_load.js';

/** @typedef {import('../manifest.js').ChunkedFile} ChunkedFile */
/**
 * @typedef {object} Runtime
 * @property {string} base the folder's address
 * @property {string} name with its version
 * @property {ChunkedFile} binary WebAssembly, packed by gzip
 * @property {number} unpackedBytes of it
 * @property {string} text of runtime.json, to be kept with the binary
 */
/** @typedef {{ data: any, dims: readonly number[], dispose: () => void }} Tensor */
/** @typedef {{ name: string, type: string, shape: (number | string)[] }} Meta */
/**
 * @typedef {object} InferenceSession
 * @property {Meta[]} inputMetadata
 * @property {string[]} outputNames
 * @property {(feeds: Record<string, Tensor>, wanted: string[]) => Promise<Record<string, Tensor>>} run
 * @property {() => Promise<void>} release
 */
/**
 * @typedef {object} OnnxRuntime what is used of the package
 * @property {{ logLevel: string, wasm: { numThreads: number, wasmPaths: { mjs: string }, wasmBinary: ArrayBuffer } }} env
 * @property {{ create: (graph: Uint8Array, options: object) => Promise<InferenceSession> }} InferenceSession
 * @property {new (type: string, data: any, dims: number[]) => Tensor} Tensor
 */

const FOLDER = '../../runtime/';
const API = 'ort.wasm.min.mjs';
const THREADS = 'ort-wasm-simd-threaded.mjs';
const MOST_THREADS = 4;
const CONNECTIONS = 4;

/** @param {AbortSignal} [signal] @returns {Promise<Runtime>} */
export async function findRuntime(signal) {
  const base = new URL(FOLDER, import.meta.url).href;
  const { bytes, url } = await findDescription(base, 'runtime.json', { signal });
  const reader = new JsonReader(parseJson(bytes, url), url, (what) => new NoWasmError(what, { url }));
  reader.field('format').oneOf(['thistledown-runtime']);
  reader.field('version').oneOf([1]);
  const binary = reader.field('binary');
  const unpackedBytes = binary.field('unpacked_bytes').integer(1, 2 ** 28);
  const text = new TextDecoder().decode(bytes);
  return { base, name: reader.field('name').string(), binary: readShard(binary), unpackedBytes, text };
}

/**
 * @param {Runtime} runtime of which the binary is kept beside the models, once for all of them
 * @param {import('../transfer/supply.js').Supply} supply of a model
 * @returns {Promise<OnnxRuntime>} ready to open a graph
 * @throws {NoWasmError} where the page, or its server, lets no WebAssembly run
 */
export async function bringRuntime(runtime, supply) {
  const { base, name, binary, text } = runtime;
  const own = { ...supply, base };
  const packed = await recordedLoad({ title: name, files: [binary], text }, own, () => bringFile(binary, own));
  const wasmBinary = await unpacked(runtime, packed);
  try {
    const { default: ort } = await import(runtime.base + API);
    const mjs = runtime.base + THREADS;
    allowThreads(mjs);
    ort.env.logLevel = 'error';
    Object.assign(ort.env.wasm, { wasmBinary, wasmPaths: { mjs }, numThreads: threads() });
    return ort;
  } catch (cause) {
    throw noWasm(cause);
  }
}

/** @param {unknown} cause @returns {NoWasmError} */
export function noWasm(cause) {
  return new NoWasmError(`WebAssembly did not start: ${cause instanceof Error ? cause.message : cause}`);
}

/** @returns {number} memory is shared between threads only where the page is isolated from others */
export function threads() {
  return globalThis.crossOriginIsolated ? Math.min(MOST_THREADS, navigator.hardwareConcurrency) : 1;
}

/** @param {string} script the one worker that the package may start, where Trusted Types are asked for */
function allowThreads(script) {
  const { trustedTypes } = /** @type {any} */ (globalThis);
  trustedTypes?.createPolicy('default', {
    createScriptURL: (/** @type {string} */ url) => (url === script ? url : null),
  });
}

/**
 * @param {ChunkedFile} file
 * @param {import('../transfer/supply.js').Supply} supply
 * @param {number} [bytes] what `read` makes of it, in all
 * @param {(chunk: Uint8Array<ArrayBuffer>, offset: number) => import('../coding/chunk.js').Stretch} [read]
 * @returns {Promise<Uint8Array<ArrayBuffer>>} all of it, brought a few chunks at a time
 */
export async function bringFile(file, supply, bytes = file.bytes, read = (chunk, start) => ({ start, bytes: chunk })) {
  const whole = new Uint8Array(bytes);
  const pool = new BufferPool(CONNECTIONS, Math.min(file.bytes, file.chunkBytes));
  await bring(file, supply, pool, (chunk, offset) => {
    const stretch = read(chunk, offset);
    whole.set(stretch.bytes, stretch.start);
  });
  return whole;
}

/** @param {Runtime} runtime @param {Uint8Array<ArrayBuffer>} packed @returns {Promise<ArrayBuffer>} */
async function unpacked({ unpackedBytes, base }, packed) {
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
  const bytes = await new Response(stream).arrayBuffer().catch(() => new ArrayBuffer(0));
  if (bytes.byteLength === unpackedBytes) return bytes;
  throw new NoWasmError(`${base} holds a binary that does not unpack to ${unpackedBytes} bytes`);
}
