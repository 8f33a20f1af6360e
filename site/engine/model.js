/** A loaded model, as the page sees it. */

import {
  checkLogitsArguments, checkPrompt, checkTexts, folderUrl, readGenerateOptions, readOptions, readState, readTexts,
} from './arguments.js';
import { BadArgumentError } from './errors.js';

/** @typedef {import('./manifest.js').Manifest} Manifest */
/** @typedef {import('./manifest.js').Task} Task */
/** @typedef {import('./client.js').OpenedModel} OpenedModel */
/** @typedef {import('./embed.js').Embedding} Embedding */
/** @typedef {import('./generation/text_stream.js').Piece} Piece */
/** @typedef {import('./classify.js').TextClass} TextClass */
/** @typedef {import('./classify.js').WordClass} WordClass */
/** @typedef {import('./fill_mask.js').Filling} Filling */
/** @typedef {import('./adapters/shelf.js').Swap} Swap */
/**
 * @typedef {Omit<import('./generation/generate.js').GenerateOptions, 'stop' | 'constraint'>
 *   & { stop?: string | string[], signal?: AbortSignal, constraint?: AskedConstraint }} CallOptions
 */
/** @typedef {import('./constraint/constraints.js').ConstraintFormat | { type: 'text' } | null} AskedConstraint */
/**
 * @typedef {object} Stats
 * @property {number} networkBytes of the load; 0 where all was kept from earlier
 * @property {number} loadMs
 * @property {'full' | 'refused' | null} notKept why the download is not kept, or not all of it: the disk is full, or the browser refuses
 * @property {number} tuneMs of the load, spent on timing kernels; 0 where what is fastest was known
 * @property {number} canaryMs of the load, spent on asking the GPU what the exporter knows the answer to; 0 where the model has
 *   no such canary
 * @property {import('./recovery.js').Recovery[]} recoveries one each time that the GPU was lost and the model was brought to
 *   another, which callers see by nothing but this and the time; what of a call was under way then is played again after `ms`
 * @property {{ texts: number, tokens: number, ms: number } | null} embedding the latest call
 * @property {import('./generation/generate.js').GenerationStats | null} generation the latest finished answer
 * @property {Omit<Swap, 'adapter'> | null} adapter the latest `setAdapter`
 */

/** @param {Manifest} manifest @returns what people and pages want to know of a model */
export function facts(manifest) {
  const { name, title, task, architecture, source, license, languages, quantization } = manifest;
  const { parameters, context, dimensions, vocabulary, generation, labels, maskToken } = manifest;
  const sampling = generation && pickSampling(generation);
  const chat = Boolean(generation?.chat);
  return {
    name, title, task, architecture, source, license, languages, quantization,
    parameters, context, dimensions, vocabulary, generation: sampling, chat, labels, maskToken,
  };
}

/** @param {import('./manifest.js').Generation} generation @returns the model's usual sampling */
function pickSampling({ temperature, topK, topP }) {
  return { temperature, topK, topP };
}

export class Model {
  #client;
  /** @type {Stats} */
  #stats;

  /**
   * @param {import('./client.js').WorkerClient} client
   * @param {Manifest} manifest
   * @param {OpenedModel} opened
   * @param {number} downloadBytes
   */
  constructor(client, manifest, { networkBytes, loadMs, notKept, tuneMs, canaryMs, ...opened }, downloadBytes) {
    this.#client = client;
    const load = { networkBytes, loadMs, notKept, tuneMs, canaryMs };
    this.#stats = { ...load, recoveries: client.recoveries, embedding: null, generation: null, adapter: null };
    /** @type {Swap['adapter']} */
    this.adapter = null;
    this.info = Object.freeze({ ...facts(manifest), ...opened, downloadBytes });
    const create = /** @type {import('./completions/completions.js').Create} */ ((/** @type {unknown} */ request) => this.#complete(request));
    /** Chat completions in OpenAI's shape. */
    this.chat = Object.freeze({ completions: Object.freeze({ create }) });
  }

  /**
   * @param {string[]} texts
   * @param {{ signal?: AbortSignal } | null} [options]
   * @returns {Promise<Embedding[]>} in order: `data` [dimensions], `tokens` read, `truncated` where the text was cut
   */
  async embed(texts, options) {
    this.#expectTask('sentence-embedding', 'embed');
    checkTexts(texts);
    const { signal } = readOptions(options);
    const began = performance.now();
    /** @type {Embedding[]} */
    const results = await this.#client.call('embed', { texts }, { signal });
    const tokens = results.reduce((sum, result) => sum + result.tokens, 0);
    this.#stats.embedding = { texts: texts.length, tokens, ms: performance.now() - began };
    return results;
  }

  /**
   * @param {import('./generation/generate.js').Prompt} prompt a string goes in as it is, messages through the chat template
   * @param {CallOptions | null} [options]
   * @returns {AsyncGenerator<Piece, void>} ids up to the end token; the texts join to the text of all ids
   */
  async *generate(prompt, options) {
    yield* this.#answer(prompt, options);
  }

  /**
   * @param {import('./generation/generate.js').Prompt} prompt
   * @param {CallOptions | null} [options]
   * @returns {AsyncGenerator<Piece, import('./generation/generate.js').GenerationStats>} once the call is found to be right
   */
  #answer(prompt, options) {
    this.#expectTask('text-generation', 'generate');
    checkPrompt(prompt);
    const { signal, ...rest } = readOptions(options);
    return this.#write({ prompt, options: readGenerateOptions(rest) }, signal);
  }

  /** @param {unknown} args @param {AbortSignal} [signal] @returns {AsyncGenerator<Piece, any>} */
  async *#write(args, signal) {
    const stats = yield* this.#client.stream('generate', args, signal);
    this.#stats.generation = stats;
    return stats;
  }

  /** @param {unknown} request @returns {Promise<unknown>} */
  async #complete(request) {
    this.#expectTask('text-generation', 'chat.completions.create');
    const { complete } = await import('./completions/completions.js');
    return complete(this.info.name, (messages, options) => this.#answer(messages, options), request);
  }

  /**
   * @param {string | string[]} text cut at its end where it is longer than the model's context
   * @param {{ signal?: AbortSignal } | null} [options]
   * @returns {Promise<TextClass[] | TextClass[][]>} every label with its score, the best first; a list of such for a list
   */
  async classify(text, options) {
    return this.#read('text-classification', 'classify', text, options);
  }

  /**
   * @param {string | string[]} text
   * @param {{ signal?: AbortSignal } | null} [options]
   * @returns {Promise<WordClass[] | WordClass[][]>} an entry a word, which is `text.slice(start, end)`, with the label of
   *   its first token; words past the model's context are left out; a list of such for a list
   */
  async classifyTokens(text, options) {
    return this.#read('token-classification', 'classifyTokens', text, options);
  }

  /**
   * @param {string | string[]} text that holds `info.maskToken` once or more often
   * @param {{ signal?: AbortSignal } | null} [options]
   * @returns {Promise<Filling[] | Filling[][] | (Filling[] | Filling[][])[]>} the five best fillings, the best first; a
   *   list of such for several masks, in their order; and a list of all that for a list
   */
  async fillMask(text, options) {
    /** @type {Filling[][] | Filling[][][]} */
    const found = await this.#read('fill-mask', 'fillMask', text, options);
    const one = (/** @type {any[]} */ masks) => (masks.length === 1 ? masks[0] : masks);
    return Array.isArray(text) ? found.map(one) : one(found);
  }

  /**
   * For tests and tools.
   *
   * @param {number[]} ids
   * @param {{ split?: number[], signal?: AbortSignal } | null} [options] `split`: the sizes of the prefill blocks
   * @returns {Promise<Float32Array>} logits [vocabulary] after the last id
   */
  async logits(ids, options) {
    this.#expectTask('text-generation', 'logits');
    const { split, signal } = readOptions(options);
    checkLogitsArguments(ids, split, this.info);
    return this.#client.call('logits', { ids, split }, { signal });
  }

  /**
   * What the model has read and written since its states were empty, so that it need not be read again: also later, and in
   * another tab. It waits for the answer that is under way.
   *
   * @param {{ signal?: AbortSignal } | null} [options]
   * @returns {Promise<ArrayBuffer>}
   */
  async saveState(options) {
    this.#expectTask('text-generation', 'saveState');
    const { signal } = readOptions(options);
    return this.#client.call('saveState', null, { signal });
  }

  /**
   * @param {ArrayBuffer | ArrayBufferView<ArrayBuffer> | Blob} state that `saveState` made, of this model with this tier and adapter
   * @param {{ signal?: AbortSignal } | null} [options]
   * @returns {Promise<number>} how many tokens it stands for: of a prompt that begins with them only the rest is read
   * @throws STATE_INVALID for anything else; what the model held before, it then holds still
   */
  async restoreState(state, options) {
    this.#expectTask('text-generation', 'restoreState');
    const { signal } = readOptions(options);
    return this.#client.call('restoreState', { state: readState(state) }, { signal, answered: true });
  }

  /**
   * @param {string | URL | null} url of an adapter's folder; null takes it off. Adapters need WebGPU
   * @param {{ signal?: AbortSignal } | null} [options]
   */
  async setAdapter(url, options) {
    const { signal } = readOptions(options);
    const args = { url: url === null ? null : folderUrl(url) };
    /** @type {Swap} */
    const { adapter, ...stats } = await this.#client.call('setAdapter', args, { signal, answered: true });
    this.adapter = adapter && Object.freeze(adapter);
    this.#stats.adapter = stats;
  }

  /** @returns {Stats} */
  stats() {
    return structuredClone(this.#stats);
  }

  /** Frees the GPU and ends the worker; calls under way are rejected with UNLOADED. May be called twice. */
  async unload() {
    await this.#client.unload();
  }

  /**
   * @param {Task} task
   * @param {string} method
   * @param {string | string[]} text
   * @param {{ signal?: AbortSignal } | null} [options]
   * @returns {Promise<any>} the result for the text, or a list of them for a list
   */
  async #read(task, method, text, options) {
    this.#expectTask(task, method);
    const texts = readTexts(text, method);
    const { signal } = readOptions(options);
    /** @type {unknown[]} */
    const results = await this.#client.call(method, { texts }, { signal });
    return Array.isArray(text) ? results : results[0];
  }

  /** @param {Task} task @param {string} method */
  #expectTask(task, method) {
    if (this.info.task === task) return;
    throw new BadArgumentError(`${method} needs a ${task} model, and ${this.info.name} does ${this.info.task}`);
  }
}
