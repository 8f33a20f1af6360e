/** Opens a model on the CPU: the files of its visit and the runtime, or nothing at all. */

import { throwIfAborted } from '../errors.js';
import { keptLoad } from '../transfer/kept_load.js';
import { filesOf } from '../manifest.js';
import { Library } from '../storage/library.js';
import { fetchTokenizer } from '../tokenizer/files.js';
import { bringWhole } from '../transfer/bring.js';
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
 * @property {unknown} json the manifest as it came, to be kept with the files
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
 */
/** @typedef {Opened & import('../tokenizer/files.js').Texts & import('../transfer/kept_load.js').Loaded} Session */

/** @param {LoadRequest} request @param {Supply} supply @returns {Promise<WeightFile[]>} one shard after the other */
async function fetchWeights({ manifest }, supply) {
  const files = [];
  for (const shard of manifest.shards) files.push({ path: shard.file, data: await bringFile(shard, supply) });
  return files;
}

/** @param {Runtime} runtime @param {Supply} supply @returns {ReturnType<typeof bringRuntime>} kept beside the models */
async function fetchRuntime(runtime, supply) {
  const library = new Library(supply.store);
  const { base, name, binary, json } = runtime;
  await supply.keeping.attempt(() => library.begin(base, name, [binary]));
  const ort = await bringRuntime(runtime, supply);
  await library.finish(base, [binary], json).catch(() => undefined);
  return ort;
}

/** @param {LoadRequest} request @param {Supply} supply @returns {Promise<Omit<Session, 'loaded'>>} */
async function assemble(request, supply) {
  const { manifest, runtime, memoryBytes } = request;
  const [texts, ort, model, weights] = await Promise.all([
    fetchTokenizer(request, supply),
    fetchRuntime(runtime, supply),
    bringWhole(filesOf(manifest, 'onnx')[0], supply),
    fetchWeights(request, supply),
  ]);
  throwIfAborted(supply.signal);
  supply.progress.enter('compile');
  const graph = await Graph.open(ort, model, weights);
  const computer = { name: runtime.name, threads: threads(), memoryBytes };
  const plan = { symbols: { tokens: manifest.context, sequences: manifest.context } };
  return { manifest, graph, memory: new StateMemory(graph), plan, readback: { slots: 1 }, play, write, computer, ...texts };
}

/**
 * @param {LoadRequest} request
 * @param {(event: import('../progress.js').ProgressEvent) => void} report
 * @param {AbortSignal} signal
 * @param {import('../transfer/gate.js').Gate} gate
 * @returns {Promise<Session>}
 */
export function openSession(request, report, signal, gate) {
  const files = wasmFiles(request.manifest);
  const visit = { ...request, files, bytes: request.runtime.binary.bytes };
  return keptLoad(visit, report, signal, gate, (supply) => assemble(request, supply));
}
