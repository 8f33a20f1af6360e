/**
 * A vocabulary as a constraint wants it. Most tokens are plain: whole characters that a string of JSON holds as they are,
 * so inside a string only their length counts. The others are few, and tried byte by byte.
 */

import { makeTrie } from './trie.js';

/** @typedef {import('./trie.js').Token} Token */
/** @typedef {Uint32Array<ArrayBuffer>} Mask a bit for each token that may come */
/** @typedef {(id: number) => number[] | null} BytesOf of a token; null for one that writes no text */

/** A longer token is tried as the others are. */
const LONGEST_PLAIN = 32;
const SPECIAL = /["\\\0-\x1F]/;

/** @param {number[]} bytes @returns {number} characters of a plain token; 0 for another */
function plainLength(bytes) {
  try {
    const text = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true }).decode(Uint8Array.from(bytes));
    const length = SPECIAL.test(text) ? 0 : Array.from(text).length;
    return length <= LONGEST_PLAIN ? length : 0;
  } catch {
    return 0;
  }
}

/** @param {Mask} mask @param {number} id */
export function allow(mask, id) {
  mask[id >>> 5] |= 1 << (id & 31);
}

/** @param {Mask} mask @param {number} id @returns {boolean} */
export function allows(mask, id) {
  return (mask[id >>> 5] & (1 << (id & 31))) !== 0;
}

export class Vocabulary {
  /**
   * @param {number} size
   * @param {number[]} stopIds that end an answer, and write nothing
   * @param {BytesOf} bytesOf
   */
  constructor(size, stopIds, bytesOf) {
    this.words = Math.ceil(size / 32);
    this.stopIds = stopIds;
    this.bytesOf = bytesOf;
    const tokens = Array.from({ length: size }, (_, id) => ({ id, bytes: bytesOf(id) ?? [] }));
    const writing = tokens.filter(({ id, bytes }) => bytes.length > 0 && !stopIds.includes(id));
    const lengths = writing.map(({ bytes }) => plainLength(bytes));
    this.others = makeTrie(writing.filter((_, i) => lengths[i] === 0));
    this.plain = makeTrie(writing.filter((_, i) => lengths[i] > 0));
    this.plainMasks = this.masksByLength(writing, lengths);
    this.deepest = Math.max(this.others.deepest, this.plain.deepest);
  }

  /** @param {Token[]} tokens @param {number[]} lengths @returns {Mask[]} the plain ones of each length or less */
  masksByLength(tokens, lengths) {
    const masks = [new Uint32Array(this.words)];
    for (let length = 1; length <= LONGEST_PLAIN; length++) {
      const mask = masks[length - 1].slice();
      tokens.forEach(({ id }, i) => {
        if (lengths[i] === length) allow(mask, id);
      });
      masks.push(mask);
    }
    return masks;
  }

  /** @param {number} characters @returns {Mask} a copy: the plain tokens of as many characters or less */
  plainUpTo(characters) {
    return this.plainMasks[Math.min(characters, LONGEST_PLAIN)].slice();
  }
}
