/** Opens a model on the CPU: the files of its visit and the runtime, or nothing at all. */

import { openDecoder } from '../coding/decoder.js';
import { throwIfAborted } from '../errors.js';
import { filesOf } from '../manifest.js';
import { fetchTokenizer } from '../tokenizer/files.js';
import { bringWhole } from '../transfer/bring.js';
import { keptLoad, nothingLoaded } from '../transfer/kept_load.js';
import { wasmFiles } from './assess.js';
import { play } from './encoder.js';
import { Graph } from './graph.js';
import { bringFile, bringRuntime, threads } from './runtime.js';
import { StateMemory } from './state_memory.js';
import { write } from './writer.js';

/** @typedef {import('../transfer/supply.js').Supply} Supply */
/** @typedef {import('./runtime.js').Runtime} Runtime */
/** @typedef {{ path: string, data: Uint8Array<ArrayBuffer> }} WeightFile */
/**
 * @typedef {object} LoadRequest
 * @property {string} base the folder's address
 * @property {import('../manifest.js').Manifest} manifest
 * @property {string} text of the manifest, to be kept with the files
 * @property {Runtime} runtime
 * @property {number} memoryBytes as `inspect` says it
 */
/**
 * @typedef {object} Opened
 * @property {import('../manifest.js').Manifest} manifest
 * @property {Graph} graph
 * @property {StateMemory} memory
 * @property {{ symbols: Record<string, number> }} plan the largest values, as a plan has them
 * @property {{ slots: number }} readback plays at a time
 * @property {import('../encode.js').Play} play
 * @property {import('../generation/generate.js').Write} write
 * @property {{ name: string, threads: number, memoryBytes: number }} computer
 * @property {import('../transfer/kept_load.js').Loaded} loaded
 */
/** @typedef {Opened & import('../tokenizer/files.js').Texts} Session */

/** @param {LoadRequest} request @param {Supply} supply @returns {Promise<WeightFile[]>} one shard after the other */
async function fetchWeights({ manifest }, supply) {
  const files = [];
  const decode = await openDecoder(manifest);
  for (const [i, shard] of manifest.shards.entries()) {
    const code = manifest.coded[i];
    const data = code && decode
      ? await bringFile(code, supply, shard.bytes, (chunk) => decode(chunk, shard.bytes))
      : await bringFile(shard, supply);
    files.push({ path: shard.file, data });
  }
  return files;
}

/** @param {LoadRequest} request @param {Supply} supply @returns {Promise<Session>} */
async function assemble(request, supply) {
  const { manifest, runtime, memoryBytes } = request;
  const [texts, ort, model, weights] = await Promise.all([
    fetchTokenizer(request, supply),
    bringRuntime(runtime, supply),
    bringWhole(filesOf(manifest, 'onnx')[0], supply),
    fetchWeights(request, supply),
  ]);
  throwIfAborted(supply.signal);
  supply.progress.enter('compile');
  const graph = await Graph.open(ort, model, weights);
  const computer = { name: runtime.name, threads: threads(), memoryBytes };
  const plan = { symbols: { tokens: manifest.context, sequences: manifest.context } };
  const parts = { manifest, graph, memory: new StateMemory(graph), plan, readback: { slots: 1 }, play, write, computer };
  return { ...parts, ...texts, loaded: nothingLoaded() };
}

/**
 * @param {LoadRequest} request
 * @param {import('../transfer/kept_load.js').Opening} opening
 * @returns {Promise<Session>}
 */
export async function openSession(request, { signal, ...opening }) {
  const failing = new AbortController();
  const visit = { ...request, files: wasmFiles(request.manifest), bytes: request.runtime.binary.bytes };
  const ending = { ...opening, signal: AbortSignal.any([signal, failing.signal]) };
  try {
    return await keptLoad(visit, ending, (begin) => assemble(request, begin()));
  } catch (cause) {
    failing.abort();
    throw cause;
  }
}
