/** model.onnx in onnxruntime: what it declares, one run at a time, and its faults as errors of ours. */

import { EngineError, NotEnoughMemoryError, PlanInvalidError } from '../errors.js';
import { noWasm } from './runtime.js';

/** @typedef {import('./runtime.js').OnnxRuntime} OnnxRuntime */
/** @typedef {import('./runtime.js').InferenceSession} InferenceSession */
/** @typedef {import('./runtime.js').Tensor} Tensor */
/** @typedef {{ past: string, present: string, dims: number[] }} State an input, the output that takes its place, how it begins */

const IDS = 'input_ids';
const MASK = 'attention_mask';
const NO_ROOM = /bad_alloc|out of memory|allocat/i;

/** Lets messages in, such as an abort: a run keeps the thread from its start to its end. */
const turns = new MessageChannel();

/** @returns {Promise<unknown>} */
function turn() {
  return new Promise((resolve) => {
    turns.port1.onmessage = resolve;
    turns.port2.postMessage(null);
  });
}

/** @param {unknown} cause @returns {EngineError} */
function faultOf(cause) {
  const words = cause instanceof Error ? cause.message : String(cause);
  if (NO_ROOM.test(words)) return new NotEnoughMemoryError(`WebAssembly has no room for the model: ${words}`);
  return new PlanInvalidError(`onnxruntime refuses model.onnx: ${words}`);
}

export class Graph {
  /** @param {OnnxRuntime} ort @param {InferenceSession} session */
  constructor(ort, session) {
    this.ort = ort;
    this.session = session;
    this.output = session.outputNames[0];
    this.states = statesOf(session);
  }

  /**
   * @param {OnnxRuntime} ort
   * @param {Uint8Array} model
   * @param {{ path: string, data: Uint8Array }[]} externalData copied into WebAssembly's memory, and not needed from then on
   * @returns {Promise<Graph>}
   */
  static async open(ort, model, externalData) {
    const options = { executionProviders: ['wasm'], graphOptimizationLevel: 'all', externalData };
    try {
      return new Graph(ort, await ort.InferenceSession.create(model, options));
    } catch (cause) {
      if (cause instanceof EngineError) throw cause;
      throw /no available backend/.test(String(cause)) ? noWasm(cause) : faultOf(cause);
    }
  }

  /** @returns {Record<string, Tensor>} what a sequence begins with, by input */
  emptyStates() {
    return Object.fromEntries(this.states.map(({ past, dims }) => {
      const count = dims.reduce((product, size) => product * size, 1);
      return [past, new this.ort.Tensor('float32', new Float32Array(count), dims)];
    }));
  }

  /**
   * @param {number[]} ids of one text, or its next ones
   * @param {Record<string, Tensor>} states
   * @param {number} seen ids that the states have seen
   * @param {string[]} wanted outputs
   * @returns {Promise<Record<string, Tensor>>}
   */
  async run(ids, states, seen, wanted) {
    await turn();
    const total = seen + ids.length;
    const feeds = { [IDS]: this.ints(ids), [MASK]: this.ints(new Array(total).fill(1)), ...states };
    try {
      return await this.session.run(feeds, wanted);
    } catch (cause) {
      throw faultOf(cause);
    }
  }

  /** @param {number[]} values @returns {Tensor} */
  ints(values) {
    return new this.ort.Tensor('int64', BigInt64Array.from(values, BigInt), [1, values.length]);
  }

  async close() {
    await this.session.release();
  }
}

/**
 * Every input beside the ids and the mask is a state: `past…`, or `past_key_values…`, comes back as the output `present…`.
 *
 * @param {InferenceSession} session
 * @returns {State[]}
 * @throws {PlanInvalidError}
 */
function statesOf({ inputMetadata, outputNames }) {
  return inputMetadata.filter(({ name }) => name !== IDS && name !== MASK).map(({ name, type, shape }) => {
    const present = name.replace(/^past(_key_values)?/, 'present');
    const known = type === 'float32' && present !== name && outputNames.includes(present);
    if (!known) throw new PlanInvalidError(`model.onnx has an input ${name} that is no state`);
    return { past: name, present, dims: shape.map((size, axis) => (typeof size === 'number' ? size : Number(axis === 0))) };
  });
}
