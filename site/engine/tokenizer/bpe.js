/** Byte pair encoding: the pair of neighbours with the best rank is merged, until no pair has one. */

import { vocabOf } from './parts.js';

/** @typedef {import('./normalizers.js').Part} Part */

const ID_LIMIT = 2 ** 26;
const CACHED_WORDS = 10_000;
const LONGEST_CACHED = 256;

/** Pairs that may be merged: the best rank first, of equal ones the leftmost. */
class Queue {
  constructor() {
    /** @type {{ rank: number, at: number, id: number }[]} a binary heap */
    this.heap = [];
  }

  /** @param {number} a @param {number} b places in the heap @returns {boolean} */
  before(a, b) {
    const { heap } = this;
    return heap[a].rank < heap[b].rank || (heap[a].rank === heap[b].rank && heap[a].at < heap[b].at);
  }

  /** @param {number} a @param {number} b */
  swap(a, b) {
    [this.heap[a], this.heap[b]] = [this.heap[b], this.heap[a]];
  }

  /** @param {{ rank: number, at: number, id: number }} merge */
  push(merge) {
    let i = this.heap.push(merge) - 1;
    for (let up = (i - 1) >> 1; i > 0 && this.before(i, up); up = (i - 1) >> 1) {
      this.swap(i, up);
      i = up;
    }
  }

  /** @returns {{ rank: number, at: number, id: number } | undefined} */
  pop() {
    const { heap } = this;
    this.swap(0, heap.length - 1);
    const top = heap.pop();
    for (let i = 0; ;) {
      const least = [2 * i + 1, 2 * i + 2].reduce((best, k) => (k < heap.length && this.before(k, best) ? k : best), i);
      if (least === i) return top;
      this.swap(i, least);
      i = least;
    }
  }
}

export class BytePairEncoding {
  /** @param {Part} model */
  constructor(model) {
    this.vocab = vocabOf(model);
    this.prefix = model.continuing_subword_prefix ?? '';
    this.suffix = model.end_of_word_suffix ?? '';
    this.byteFallback = model.byte_fallback === true;
    this.fusesUnknown = model.fuse_unk === true;
    this.takesWholeWords = model.ignore_merges === true;
    this.unknown = model.unk_token == null ? null : this.idOf(model.unk_token);
    /** @type {Map<number, number>} left * ID_LIMIT + right -> rank * ID_LIMIT + id: there are hundreds of thousands */
    this.merges = new Map();
    let rank = 0;
    for (const merge of Array.isArray(model.merges) ? model.merges : this.unpacked(model.merges)) this.addMerge(merge, rank++);
    /** @type {Map<string, number[]>} */
    this.cache = new Map();
  }

  /** @param {string} token @returns {number} */
  idOf(token) {
    const id = this.vocab.get(token);
    if (id === undefined) throw new Error(`the vocabulary lacks "${token}"`);
    if (!(Number.isSafeInteger(id) && id >= 0 && id < ID_LIMIT)) throw new Error(`"${token}" has the id ${id}`);
    return id;
  }

  /** @param {Part} packed steps to each merged token's id, lengths of the left parts @returns {Generator<[string, string]>} */
  *unpacked({ steps, cuts }) {
    const tokens = [...this.vocab.keys()];
    let id = 0;
    for (const [i, cut] of cuts.entries()) {
      const token = tokens[id += steps[i]];
      yield [token.slice(0, cut), this.prefix + token.slice(cut)];
    }
  }

  /** @param {string | [string, string]} merge @param {number} rank */
  addMerge(merge, rank) {
    const space = typeof merge === 'string' ? merge.indexOf(' ') : 0;
    const [left, right] = typeof merge === 'string' ? [merge.slice(0, space), merge.slice(space + 1)] : merge;
    const id = this.idOf(left + right.slice(this.prefix.length));
    this.merges.set(this.idOf(left) * ID_LIMIT + this.idOf(right), rank * ID_LIMIT + id);
  }

  /** @param {string} word @returns {number[]} */
  encode(word) {
    if (this.takesWholeWords && this.vocab.has(word)) return [/** @type {number} */ (this.vocab.get(word))];
    const known = this.cache.get(word);
    if (known) return known;
    const ids = this.merged(this.symbols(word));
    if (word.length <= LONGEST_CACHED) {
      if (this.cache.size >= CACHED_WORDS) this.cache.clear();
      this.cache.set(word, ids);
    }
    return ids;
  }

  /** @param {string} word @returns {number[]} an id a character, more where bytes stand for it */
  symbols(word) {
    const characters = [...word];
    /** @type {number[]} */
    const ids = [];
    let unknowns = 0;
    const flush = () => {
      for (; unknowns > 0; unknowns--) ids.push(/** @type {number} */ (this.unknown));
    };
    characters.forEach((character, i) => {
      const last = i === characters.length - 1 ? this.suffix : '';
      const symbol = (i > 0 ? this.prefix : '') + character + last;
      const id = this.vocab.get(symbol);
      const bytes = id === undefined && this.byteFallback ? this.bytes(symbol) : null;
      if (bytes) {
        ids.push(...bytes);
      } else if (id !== undefined) {
        flush();
        ids.push(id);
      } else if (this.unknown !== null) {
        if (!this.fusesUnknown) flush();
        unknowns = 1;
      }
    });
    flush();
    return ids;
  }

  /** @param {string} symbol @returns {number[] | null} null unless each of its bytes has a token */
  bytes(symbol) {
    const ids = Array.from(new TextEncoder().encode(symbol), (byte) => this.vocab.get(byteToken(byte)));
    return ids.every((id) => id !== undefined) ? /** @type {number[]} */ (ids) : null;
  }

  /** @param {number[]} ids is changed @returns {number[]} */
  merged(ids) {
    const next = ids.map((_, i) => (i + 1 < ids.length ? i + 1 : -1));
    const previous = ids.map((_, i) => i - 1);
    const queue = new Queue();
    const offer = (/** @type {number} */ at) => {
      const merge = at < 0 || next[at] < 0 ? undefined : this.merges.get(ids[at] * ID_LIMIT + ids[next[at]]);
      if (merge !== undefined) queue.push({ rank: Math.floor(merge / ID_LIMIT), id: merge % ID_LIMIT, at });
    };
    for (let i = 0; i < ids.length; i++) offer(i);
    while (queue.heap.length > 0) {
      const { at, id } = /** @type {{ at: number, id: number }} */ (queue.pop());
      const right = ids[at] < 0 ? -1 : next[at];
      const merge = right < 0 ? undefined : this.merges.get(ids[at] * ID_LIMIT + ids[right]);
      if (merge === undefined || merge % ID_LIMIT !== id) continue;
      ids[at] = id;
      ids[right] = -1;
      next[at] = next[right];
      if (next[at] >= 0) previous[next[at]] = at;
      offer(previous[at]);
      offer(at);
    }
    return ids.filter((id) => id >= 0);
  }
}

/** @param {number} byte @returns {string} its token where bytes stand for what the vocabulary lacks */
export function byteToken(byte) {
  return `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
}
