/** Passages with the direction in which the model sees each of them; finding is comparing directions. */

import { dot, unit } from './directions.js';
import { inBatches } from './paced_batches.js';

/**
 * @typedef {import('./collections.js').Passage} Passage
 * @typedef {import('./kept_vectors.js').Kept} Kept
 * @typedef {import('../engine/index.js').Model} Model
 * @typedef {{ passage: Passage, score: number }} Hit
 */

export class PassageIndex {
  #passages;
  /** @type {{ passage: Passage, vector: Float32Array }[]} */
  #rows = [];
  /** How many passages were longer than the model reads. */
  truncated = 0;

  /** @param {Passage[]} passages */
  constructor(passages) {
    this.#passages = passages;
  }

  /**
   * Reads on from where an earlier call was aborted; what is read can be searched in the meantime.
   * @param {Model} model
   * @param {object} options
   * @param {AbortSignal} options.signal
   * @param {() => void} options.onProgress
   */
  async read(model, { signal, onProgress }) {
    await inBatches(this.#passages.slice(this.size), async (batch) => {
      await this.#add(model, batch, signal);
      onProgress();
    });
  }

  /**
   * Takes what an earlier visit has read of the same passages.
   * @param {Kept} kept
   * @param {number} dimensions of the model's vectors
   */
  restore({ vectors, truncated }, dimensions) {
    const count = Math.min(this.#passages.length, Math.floor(vectors.length / dimensions));
    this.#rows = this.#passages
      .slice(0, count)
      .map((passage, i) => ({ passage, vector: vectors.subarray(i * dimensions, (i + 1) * dimensions) }));
    this.truncated = truncated;
  }

  /** @returns {Kept} what has been read so far */
  toKeep() {
    const dimensions = this.#rows[0]?.vector.length ?? 0;
    const vectors = new Float32Array(this.size * dimensions);
    this.#rows.forEach(({ vector }, i) => vectors.set(vector, i * dimensions));
    return { vectors, truncated: this.truncated };
  }

  get complete() {
    return this.size === this.#passages.length;
  }

  get size() {
    return this.#rows.length;
  }

  /**
   * @param {Float32Array} query
   * @returns {Hit[]} every passage that was read, the best first; score is the cosine
   */
  rank(query) {
    const direction = unit(query);
    const hits = this.#rows.map(({ passage, vector }) => ({ passage, score: dot(vector, direction) }));
    return hits.sort((a, b) => b.score - a.score);
  }

  /**
   * @param {Model} model
   * @param {Passage[]} passages
   * @param {AbortSignal} signal
   */
  async #add(model, passages, signal) {
    const embeddings = await model.embed(
      passages.map(({ text }) => text),
      { signal },
    );
    passages.forEach((passage, i) => {
      const embedding = embeddings[i];
      if (embedding === undefined)
        throw new RangeError(`${passages.length} texts gave ${embeddings.length} embeddings`);
      this.#rows.push({ passage, vector: unit(embedding.data) });
      if (embedding.truncated) this.truncated += 1;
    });
  }
}
