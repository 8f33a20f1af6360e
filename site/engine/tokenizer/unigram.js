/** Unigram: of all ways to cut a text into tokens, the one whose scores have the largest sum. */

import { byteToken } from './bpe.js';
import { tokensOf } from './parts.js';

/** @typedef {import('./normalizers.js').Part} Part */
/** @typedef {{ score: number, start: number, id: number }} Best the best way to here, and its last token */

const UNKNOWN_PENALTY = 10;

export class Unigram {
  /** @param {Part} model */
  constructor({ vocab, scores, unk_id: unknown, byte_fallback: fallback }) {
    const tokens = typeof vocab === 'string' ? scored(tokensOf(vocab), scores) : /** @type {[string, number][]} */ (vocab);
    this.tokens = tokens;
    this.vocab = new Map(tokens.map(([token], id) => [token, id]));
    this.unknown = unknown ?? null;
    this.byteFallback = fallback === true;
    this.unknownScore = tokens.reduce((least, [, score]) => Math.min(least, score), Infinity) - UNKNOWN_PENALTY;
    /** @type {Map<string, Set<number>>} first code unit -> lengths of the tokens that begin with it */
    this.lengths = new Map();
    for (const [token] of tokens) this.noteLength(token);
  }

  /** @param {string} token */
  noteLength(token) {
    const lengths = this.lengths.get(token[0]) ?? new Set();
    this.lengths.set(token[0], lengths.add(token.length));
  }

  /** @param {string} word @returns {number[]} */
  encode(word) {
    return this.pieces(word).flatMap((piece) => this.idsOf(piece));
  }

  /** @param {string} piece @returns {number[]} */
  idsOf(piece) {
    const id = this.vocab.get(piece);
    if (id !== undefined) return [id];
    const bytes = Array.from(new TextEncoder().encode(piece), (byte) => this.vocab.get(byteToken(byte)));
    if (this.byteFallback && bytes.every((each) => each !== undefined)) return /** @type {number[]} */ (bytes);
    if (this.unknown === null) throw new Error('the vocabulary has no token for the unknown');
    return [this.unknown];
  }

  /** @param {string} word @returns {string[]} unknown neighbours are one piece */
  pieces(word) {
    const best = this.bestWays(word);
    const pieces = [];
    let unknownEnd = -1;
    for (let end = word.length; end > 0;) {
      const { start, id } = /** @type {Best} */ (best[end]);
      if (id === this.unknown) {
        if (unknownEnd < 0) unknownEnd = end;
      } else {
        if (unknownEnd >= 0) pieces.push(word.slice(end, unknownEnd));
        unknownEnd = -1;
        pieces.push(word.slice(start, end));
      }
      end = start;
    }
    if (unknownEnd >= 0) pieces.push(word.slice(0, unknownEnd));
    return pieces.reverse();
  }

  /** @param {string} word @returns {(Best | undefined)[]} the best way to each place */
  bestWays(word) {
    /** @type {(Best | undefined)[]} */
    const best = new Array(word.length + 1);
    const offer = (/** @type {number} */ end, /** @type {Best} */ way) => {
      if (!best[end] || way.score > best[end].score) best[end] = way;
    };
    for (let start = 0, width; start < word.length; start += width) {
      width = /** @type {number} */ (word.codePointAt(start)) > 0xFFFF ? 2 : 1;
      const here = best[start]?.score ?? 0;
      let hasCharacter = false;
      for (const length of this.lengths.get(word[start]) ?? []) {
        const id = start + length > word.length ? undefined : this.vocab.get(word.slice(start, start + length));
        if (id === undefined) continue;
        offer(start + length, { score: this.tokens[id][1] + here, start, id });
        hasCharacter ||= length === width;
      }
      if (!hasCharacter) offer(start + width, { score: this.unknownScore + here, start, id: this.unknown ?? -1 });
    }
    return best;
  }
}

/**
 * @param {string[]} tokens
 * @param {number[] | { steps: number[] }} scores a number a token; or steps from the bits of one, as float32, to those of the next
 * @returns {[string, number][]}
 */
function scored(tokens, scores) {
  const found = Array.isArray(scores) ? scores : floatsOf(scores.steps);
  if (found.length !== tokens.length) throw new Error(`the vocabulary has ${tokens.length} tokens and ${found.length} scores`);
  return tokens.map((token, id) => [token, found[id]]);
}

/** @param {number[]} steps @returns {Float32Array} */
function floatsOf(steps) {
  let bits = 0;
  return new Float32Array(Uint32Array.from(steps, (step) => (bits += step)).buffer);
}
