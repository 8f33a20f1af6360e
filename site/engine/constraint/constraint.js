/** Which tokens may come next, for an answer that must be a document of a grammar. */

import { EngineError } from '../errors.js';
import { Automaton, DEAD } from './automaton.js';

/** @typedef {import('./network.js').Network} Network */
/** @typedef {import('./trie.js').Trie} Trie */
/** @typedef {Uint32Array<ArrayBuffer>} Mask a bit for each token that may come */

/** A row of the automaton is 1 KiB, a mask of 150,000 tokens 19 KiB; more than these are worked out anew. */
const MOST_STATES = 32_768;
const MOST_MASKS = 512;

/** A grammar over a vocabulary, with what was worked out for earlier answers. */
export class Masks {
  /**
   * @param {Network} network
   * @param {Trie} trie without the tokens that end an answer
   * @param {number} vocabulary
   * @param {number[]} stopIds
   */
  constructor(network, trie, vocabulary, stopIds) {
    this.network = network;
    this.trie = trie;
    this.words = Math.ceil(vocabulary / 32);
    this.stopIds = stopIds;
    this.path = new Int32Array(trie.deepest + 1);
    this.automaton = new Automaton(network);
    /** @type {Map<number, Mask>} */
    this.known = new Map();
  }

  /** Anew, with nothing known. */
  begin() {
    this.automaton = new Automaton(this.network);
    this.known.clear();
  }

  /** @returns {boolean} what is known takes too much room */
  get isFull() {
    return this.automaton.size > MOST_STATES || this.known.size > MOST_MASKS;
  }

  /** @param {number} state @returns {Mask} */
  of(state) {
    const mask = this.known.get(state) ?? this.find(state);
    this.known.set(state, mask);
    return mask;
  }

  /** @param {number} state @returns {Mask} */
  find(state) {
    const mask = new Uint32Array(this.words);
    this.walk(state, mask);
    if (this.automaton.accepts(state)) for (const id of this.stopIds) allow(mask, id);
    return mask;
  }

  /** @param {number} state @param {Mask} mask gets the tokens whose bytes the automaton can read from there */
  walk(state, mask) {
    const { automaton, path } = this;
    const { bytes, depths, skips, firsts, ids } = this.trie;
    path[0] = state;
    for (let i = 0; i < bytes.length;) {
      const from = path[depths[i]];
      const known = automaton.table[from * 256 + bytes[i]];
      const next = known < 0 ? automaton.step(from, bytes[i]) : known;
      if (next === DEAD) {
        i = skips[i];
        continue;
      }
      path[depths[i] + 1] = next;
      i += 1;
      for (let k = firsts[i - 1]; k < firsts[i]; k++) allow(mask, ids[k]);
    }
  }
}

/** @param {Mask} mask @param {number} id */
function allow(mask, id) {
  mask[id >>> 5] |= 1 << (id & 31);
}

/** One answer under a grammar. */
export class Constraint {
  /** @param {Masks} masks @param {(id: number) => number[] | null} bytesOf */
  constructor(masks, bytesOf) {
    this.masks = masks;
    this.bytesOf = bytesOf;
    /** @type {number[]} */
    this.written = [];
    if (masks.isFull) masks.begin();
    this.state = masks.automaton.start;
  }

  /** @returns {Mask} */
  get mask() {
    return this.masks.of(this.state);
  }

  /** @returns {boolean} the document is whole, and nothing may follow */
  get isComplete() {
    return this.masks.automaton.isLast(this.state);
  }

  /**
   * @param {number} id that was taken
   * @throws {EngineError} where it was not allowed
   */
  take(id) {
    if ((this.mask[id >>> 5] & (1 << (id & 31))) === 0) {
      throw new EngineError(`The token ${id} was taken, which the constraint does not allow here`);
    }
    const bytes = this.bytesOf(id) ?? [];
    for (const byte of bytes) this.written.push(byte);
    if (!this.masks.isFull) return this.read(bytes);
    this.masks.begin();
    this.state = this.masks.automaton.start;
    this.read(this.written);
  }

  /** @param {number[]} bytes */
  read(bytes) {
    for (const byte of bytes) this.state = this.masks.automaton.step(this.state, byte);
  }
}
