/** wllama, which is llama.cpp in WebAssembly, on a GGUF of the artifact's weights: on WebGPU, or on threads of the CPU. */

import { adapter, isSoftware } from './adapter.js';

/** @typedef {{ gguf: string, context: number }} Job */
/** @typedef {{ id: number, logprob: number, top_logprobs: { id: number, logprob: number }[] }} Probabilities */
/** @typedef {{ text: string, logprobs?: { content: Probabilities[] } }} Choice */

const NPM = '/bench-peers/npm/@wllama/wllama/esm/';
/** Letters of the name of a token, which is its id in base 16. */
const NAME = 5;
const ALL_LAYERS = 99999;
const GREEDY = { temperature: 0, samplers: ['top_k'], top_k: 1, cache_prompt: false };

/** @param {Job} job */
export async function open({ gguf, context }) {
  const { Wllama } = await import(`${NPM}index.min.js`);
  const said = new Said();
  const wllama = new Wllama({ default: `${NPM}wasm/wllama.wasm` }, { logger: said });
  const began = performance.now();
  const onGpu = wllama.isSupportWebGPU() && !isSoftware(await adapter());
  const file = await (await fetch(gguf)).blob();
  await wllama.loadModel([file], {
    n_ctx: context, n_parallel: 1, n_gpu_layers: onGpu ? ALL_LAYERS : 0, n_threads: threads(),
  });
  const loadMs = performance.now() - began;
  const settings = { threads: wllama.getNumThreads(), gpuLayers: onGpu ? said.gpuLayers : 'none', states: 'f16' };
  const vocabulary = wllama.getLoadedContextInfo().n_vocab;
  return new Writer(wllama, vocabulary, { version: Wllama.getLibllamaVersion(), settings, loadMs });
}

/** wllama's own choice, but never the build without threads. */
function threads() {
  return Math.max(2, Math.floor(navigator.hardwareConcurrency / 2));
}

/** Keeps one thing of what llama.cpp says: how many layers are on the GPU, which is none on an adapter that lacks what it needs. */
class Said {
  gpuLayers = 'none';

  debug = (/** @type {unknown[]} */ ...words) => {
    const found = /offloaded (\d+\/\d+) layers to GPU/.exec(words.join(' '));
    if (found) this.gpuLayers = found[1];
  };

  log = this.debug;
  warn = this.debug;
  error = this.debug;
}

class Writer {
  /** Its answers have probabilities and no logits, so that logits are told but for a number that is added to all. */
  shifted = true;

  /** @param {any} wllama @param {number} vocabulary @param {{ version: string, settings: { gpuLayers: string }, loadMs: number }} facts */
  constructor(wllama, vocabulary, facts) {
    this.wllama = wllama;
    this.vocabulary = vocabulary;
    this.facts = facts;
    /** Whether it asks WebGPU from a worker of its own, where nobody counts. */
    this.uncounted = facts.settings.gpuLayers !== 'none';
  }

  /** @param {number[]} ids @param {number} count @param {object} options */
  complete(ids, count, options = {}) {
    const prompt = ids.map((id) => id.toString(16).padStart(NAME, '0')).join('');
    return this.wllama.createCompletion({ ...GREEDY, prompt, max_tokens: count, ...options });
  }

  /** @param {number[]} ids */
  async logits(ids) {
    const { choices } = await this.complete(ids, 1, { n_probs: this.vocabulary });
    /** @type {Choice} */
    const { logprobs } = choices[0];
    const found = new Float32Array(this.vocabulary).fill(-Infinity);
    for (const { id, logprob } of logprobs?.content[0].top_logprobs ?? []) found[id] = logprob;
    return found;
  }

  /** @param {number[]} ids @returns {Promise<number>} milliseconds, with the choice of the next token in them */
  async prefill(ids) {
    const began = performance.now();
    await this.complete(ids, 1);
    return performance.now() - began;
  }

  /** @param {{ ids: number[] }} prompt @param {number} count of tokens */
  async generate({ ids }, count) {
    const began = performance.now();
    /** @type {number[]} */
    const times = [];
    let text = '';
    const onData = (/** @type {{ choices: Choice[] }} */ { choices }) => {
      if (!choices[0]?.text) return;
      times.push(performance.now());
      text += choices[0].text;
    };
    await this.complete(ids, count, { stream: true, onData });
    const found = Array.from({ length: text.length / NAME }, (_, i) => parseInt(text.slice(i * NAME, (i + 1) * NAME), 16));
    return { firstMs: times[0] - began, decodeMs: times[times.length - 1] - times[0], promptTokens: ids.length, ids: found };
  }

  async close() {
    await this.wllama.exit();
  }
}
