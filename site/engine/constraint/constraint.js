/** Which tokens may come next, for an answer that must be a document of a grammar. */

import { EngineError } from '../errors.js';
import { Automaton, DEAD } from './automaton.js';
import { allow, allows } from './vocabulary.js';

/** @typedef {import('./network.js').Network} Network */
/** @typedef {import('./vocabulary.js').Vocabulary} Vocabulary */
/** @typedef {import('./vocabulary.js').Mask} Mask */

/** A row of the automaton is 1 KiB, a mask of 150,000 tokens 19 KiB; more than these are worked out anew. */
const MOST_STATES = 32_768;
const MOST_MASKS = 512;

/** A grammar over a vocabulary, with what was worked out for earlier answers. */
export class Masks {
  /** @param {Network} network @param {Vocabulary} vocabulary */
  constructor(network, vocabulary) {
    this.network = network;
    this.vocabulary = vocabulary;
    this.path = new Int32Array(vocabulary.deepest + 1);
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
    const { vocabulary, automaton } = this;
    const plain = automaton.plainCharacters(state);
    const mask = vocabulary.plainUpTo(plain ?? 0);
    if (plain === null) this.walk(state, vocabulary.plain, mask);
    this.walk(state, vocabulary.others, mask);
    if (automaton.accepts(state)) for (const id of vocabulary.stopIds) allow(mask, id);
    return mask;
  }

  /**
   * @param {number} state
   * @param {import('./trie.js').Trie} trie
   * @param {Mask} mask gets the tokens whose bytes the automaton can read from there
   */
  walk(state, { bytes, depths, skips, firsts, ids }, mask) {
    const { automaton, path } = this;
    path[0] = state;
    for (let i = 0; i < bytes.length;) {
      const next = automaton.step(path[depths[i]], bytes[i]);
      if (next === DEAD) {
        i = skips[i];
        continue;
      }
      path[depths[i] + 1] = next;
      for (let k = firsts[i]; k < firsts[i + 1]; k++) allow(mask, ids[k]);
      i += 1;
    }
  }
}

/** One answer under a grammar. */
export class Constraint {
  /** @param {Masks} masks */
  constructor(masks) {
    this.masks = masks;
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
    if (!allows(this.mask, id)) throw new EngineError(`The token ${id} was taken, which the constraint does not allow here`);
    const bytes = this.masks.vocabulary.bytesOf(id) ?? [];
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
