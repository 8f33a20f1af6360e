/** onnxruntime-web's WebGPU provider on the very model.onnx of the artifact, with its states left on the GPU. */

import { argmax } from './argmax.js';

/**
 * @typedef {object} Job
 * @property {'asyncify' | 'jspi'} build
 * @property {string} onnx address of the model
 * @property {{ path: string, data: string }[]} externalData
 * @property {string[]} outputs
 */
/** @typedef {{ name: string, type: string, shape: (number | string)[] }} Meta */

const NPM = '/bench-peers/npm/onnxruntime-web/dist/';
const BUILDS = { asyncify: 'ort.webgpu.min.mjs', jspi: 'ort.jspi.min.mjs', wasm: 'ort.wasm.min.mjs' };

/** @param {keyof typeof BUILDS} build @returns {Promise<any>} the package, told where its files are */
export async function onnxruntime(build) {
  const ort = await import(NPM + BUILDS[build]);
  ort.env.wasm.wasmPaths = NPM;
  ort.env.logLevel = 'error';
  ort.env.webgpu.powerPreference = 'high-performance';
  return ort;
}

/** @param {Job} job */
export async function open(job) {
  const build = job.build;
  const ort = await onnxruntime(build);
  const began = performance.now();
  const session = await ort.InferenceSession.create(job.onnx, {
    executionProviders: ['webgpu'],
    externalData: job.externalData,
    preferredOutputLocation: locations(job),
    graphOptimizationLevel: 'all',
  });
  const loadMs = performance.now() - began;
  const settings = {
    build, provider: 'webgpu', threads: ort.env.wasm.numThreads ?? 'default', states: 'gpu-buffer',
    graphCapture: 'off: shapes of key and value states grow with each token',
  };
  return new Writer(ort, session, { version: ort.env.versions.web, settings, loadMs });
}

/** @param {Job} job */
function locations({ outputs }) {
  return Object.fromEntries(outputs.map((name) => [name, name.startsWith('present') ? 'gpu-buffer' : 'cpu']));
}

class Runner {
  /** @param {any} ort @param {any} session @param {{ version: string, settings: object, loadMs: number }} facts */
  constructor(ort, session, facts) {
    this.ort = ort;
    this.session = session;
    this.facts = facts;
  }

  /** @param {number[]} ids @param {number[]} shape */
  ints(ids, shape) {
    return new this.ort.Tensor('int64', BigInt64Array.from(ids, BigInt), shape);
  }

  async close() {
    await this.session.release();
  }
}

/** What has been read so far: tensors on the GPU and how many tokens they stand for. */
class Past {
  /** @param {Record<string, any>} tensors by input name @param {number} length */
  constructor(tensors, length) {
    this.tensors = tensors;
    this.length = length;
  }

  free() {
    for (const tensor of Object.values(this.tensors)) tensor.dispose();
  }
}

export class Writer extends Runner {
  /** @returns {Past} */
  empty() {
    const states = this.session.inputMetadata.filter((/** @type {Meta} */ { name }) => name.startsWith('past'));
    return new Past(Object.fromEntries(states.map((/** @type {Meta} */ meta) => [meta.name, this.zeros(meta)])), 0);
  }

  /** @param {Meta} meta */
  zeros({ name, type, shape }) {
    const dims = shape.map((size, axis) => (typeof size === 'number' ? size : Number(axis === 0)));
    const count = dims.reduce((product, size) => product * size, 1);
    if (type !== 'float32') throw new Error(`the state ${name} is ${type}, and this driver only knows float32`);
    return new this.ort.Tensor(type, new Float32Array(count), dims);
  }

  /**
   * @param {number[]} ids
   * @param {Past} past is not freed
   * @returns {Promise<{ logits: Float32Array, past: Past }>} logits of the last token
   */
  async step(ids, past) {
    const length = past.length + ids.length;
    const mask = this.ints(Array.from({ length }, () => 1), [1, length]);
    const feeds = { input_ids: this.ints(ids, [1, ids.length]), attention_mask: mask, ...past.tensors };
    const { logits, ...states } = await this.session.run(feeds);
    const tensors = Object.entries(states).map(([name, value]) => [pastName(name), value]);
    const values = await logits.getData();
    const vocabulary = logits.dims.at(-1);
    return { logits: values.subarray(values.length - vocabulary), past: new Past(Object.fromEntries(tensors), length) };
  }

  /** @param {number[]} ids */
  async logits(ids) {
    const { logits, past } = await this.step(ids, this.empty());
    past.free();
    return logits;
  }

  /** @param {number[]} ids @returns {Promise<number>} milliseconds */
  async prefill(ids) {
    const began = performance.now();
    const { past } = await this.step(ids, this.empty());
    const ms = performance.now() - began;
    past.free();
    return ms;
  }

  /** @param {{ ids: number[] }} prompt @param {number} count of tokens */
  async generate({ ids }, count) {
    const began = performance.now();
    let { logits, past } = await this.step(ids, this.empty());
    const found = [argmax(logits)];
    const first = performance.now();
    while (found.length < count) {
      const before = past;
      ({ logits, past } = await this.step(found.slice(-1), before));
      before.free();
      found.push(argmax(logits));
    }
    const decodeMs = performance.now() - first;
    past.free();
    return { firstMs: first - began, decodeMs, promptTokens: ids.length, ids: found };
  }
}

/** @param {string} name of an output @returns {string} of the input that takes it */
function pastName(name) {
  return name.replace(/^present\./, 'past_key_values.').replace(/^present_/, 'past_');
}
