/** Our engine behind the same few calls that a peer's driver has. */

import { load } from '../engine/index.js';

/** @typedef {import('../engine/index.js').Model} Model */
/** @typedef {{ text: string, ids?: number[] }} Prompt */
/** @typedef {{ firstMs: number, decodeMs: number, promptTokens: number, ids: number[] }} Answer */

export class Ours {
  /** @param {Model} model @param {number} loadMs */
  constructor(model, loadMs) {
    this.model = model;
    const { tier, adapter, memoryBytes } = model.info;
    this.facts = { version: '', settings: { tier, adapter }, loadMs, memoryBytes };
  }

  /** @param {string} address @param {import('../engine/index.js').LoadOptions} [options] */
  static async open(address, options) {
    const began = performance.now();
    const model = await load(address, { backend: 'webgpu', ...options });
    return new Ours(model, performance.now() - began);
  }

  /** @param {number[]} ids */
  logits(ids) {
    return this.model.logits(ids);
  }

  /** @param {number[]} ids @returns {Promise<number>} milliseconds until the logits after the last are here */
  async prefill(ids) {
    const began = performance.now();
    await this.model.logits(ids);
    return performance.now() - began;
  }

  /** @param {Prompt} prompt @param {number} count of tokens @returns {Promise<Answer>} greedy */
  async generate({ text }, count) {
    const ids = [];
    for await (const { id } of this.model.generate(text, { maxTokens: count, temperature: 0 })) ids.push(id);
    const stats = this.model.stats().generation;
    if (!stats) throw new Error('the engine gave no statistics of its answer');
    return { firstMs: stats.firstTokenMs, decodeMs: stats.decodeMs, promptTokens: stats.promptTokens, ids };
  }

  /** @param {{ texts: string[] }} texts @returns {Promise<Float32Array[]>} */
  async embed({ texts }) {
    return (await this.model.embed(texts)).map(({ data }) => data);
  }

  async close() {
    await this.model.unload();
  }
}
