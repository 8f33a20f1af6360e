/** Two ways to give texts labels: by how near the visitor's own labels are, and by the labels that a model was trained on. */

import { dot, middle, unit } from '../directions.js';
import { inBatches } from '../paced_batches.js';

/**
 * @typedef {import('../../engine/index.js').Model} Model
 * @typedef {import('./label_set.js').Label} Label
 * @typedef {{ label: string, score: number }} Scored
 *
 * @typedef {object} Reading what the model has made of a text; it can be judged again and again
 * @property {Float32Array} [direction]
 * @property {Scored[]} [ranked]
 *
 * @typedef {object} Sorter
 * @property {(labels: Label[], signal: AbortSignal) => Promise<void>} prepare readies it for labels
 * @property {(texts: string[], signal: AbortSignal) => Promise<Reading[]>} read
 * @property {(reading: Reading) => Scored[]} judge every label, the best first
 */

/** No model of the site reads as far; tokenizing more would take time for nothing. */
export const MOST_READ_CHARACTERS = 8000;

/** Few-shot: a text is compared with the direction between a label's name and its examples. @implements {Sorter} */
export class LabelSorter {
  #model;
  /** Of names and examples that were read. @type {Map<string, Float32Array>} */
  #known = new Map();
  /** @type {{ label: string, direction: Float32Array }[]} */
  #directions = [];

  /** @param {Model} model that embeds sentences */
  constructor(model) {
    this.#model = model;
  }

  /**
   * Reads what is new among names and examples.
   * @param {Label[]} labels
   * @param {AbortSignal} signal
   */
  async prepare(labels, signal) {
    const texts = new Set(labels.flatMap(textsOf));
    await inBatches([...texts].filter((text) => !this.#known.has(text)), async (batch) => {
      const readings = await this.read(batch, signal);
      batch.forEach((text, i) => this.#known.set(text, readings[i].direction));
    });
    for (const text of this.#known.keys()) if (!texts.has(text)) this.#known.delete(text);
    this.#directions = labels.map((label) => ({ label: label.name, direction: this.#directionOf(label) }));
  }

  /**
   * @param {string[]} texts
   * @param {AbortSignal} signal
   * @returns {Promise<{ direction: Float32Array }[]>}
   */
  async read(texts, signal) {
    const embeddings = await this.#model.embed(texts.map(beginning), { signal });
    return embeddings.map(({ data }) => ({ direction: unit(data) }));
  }

  /** @param {Reading} reading @returns {Scored[]} scores are cosines */
  judge({ direction }) {
    if (direction === undefined) return [];
    const scored = this.#directions.map((each) => ({ label: each.label, score: dot(each.direction, direction) }));
    return scored.sort((one, other) => other.score - one.score);
  }

  /** @param {Label} label */
  #directionOf(label) {
    return middle(textsOf(label).flatMap((text) => this.#known.get(text) ?? []));
  }
}

/** The labels of a model of the task text-classification. @implements {Sorter} */
export class ClassSorter {
  #model;

  /** @param {Model} model */
  constructor(model) {
    this.#model = model;
  }

  async prepare() {}

  /**
   * @param {string[]} texts
   * @param {AbortSignal} signal
   */
  async read(texts, signal) {
    const classes = /** @type {Scored[][]} */ (await this.#model.classify(texts.map(beginning), { signal }));
    return classes.map((ranked) => ({ ranked }));
  }

  /** @param {Reading} reading @returns {Scored[]} scores are the model's own */
  judge({ ranked }) {
    return ranked ?? [];
  }
}

/** @param {Label} label */
function textsOf({ name, examples }) {
  return [name, ...examples];
}

/** @param {string} text */
function beginning(text) {
  return text.slice(0, MOST_READ_CHARACTERS);
}
