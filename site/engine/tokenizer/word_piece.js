/** WordPiece and WordLevel: the longest token that a word begins with, then the longest that the rest begins with. */

import { vocabOf } from './parts.js';

/** @typedef {import('./normalizers.js').Part} Part */

export class WordPiece {
  /** @param {Part} model */
  constructor(model) {
    this.vocab = vocabOf(model);
    this.unknown = model.unk_token ?? '[UNK]';
    this.prefix = model.continuing_subword_prefix ?? '##';
    this.most = model.max_input_chars_per_word ?? 100;
    this.longest = Math.max(0, ...lengths(this.vocab.keys()));
  }

  /** @param {string} word @returns {number[]} */
  encode(word) {
    const characters = [...word];
    if (characters.length > this.most) return [this.unknownId()];
    const ids = [];
    for (let start = 0; start < characters.length;) {
      const found = this.longestFrom(characters, start);
      if (!found) return [this.unknownId()];
      ids.push(found.id);
      start = found.end;
    }
    return ids;
  }

  /** @param {string[]} characters @param {number} start @returns {{ id: number, end: number } | null} */
  longestFrom(characters, start) {
    const before = start > 0 ? this.prefix : '';
    for (let end = Math.min(characters.length, start + this.longest); end > start; end--) {
      const id = this.vocab.get(before + characters.slice(start, end).join(''));
      if (id !== undefined) return { id, end };
    }
    return null;
  }

  /** @returns {number} */
  unknownId() {
    const id = this.vocab.get(this.unknown);
    if (id === undefined) throw new Error(`the vocabulary lacks "${this.unknown}"`);
    return id;
  }
}

export class WordLevel extends WordPiece {
  /** @param {string} word @returns {number[]} */
  encode(word) {
    return [this.vocab.get(word) ?? this.unknownId()];
  }
}

/** @param {Iterable<string>} tokens @returns {Set<number>} */
function lengths(tokens) {
  const found = new Set();
  for (const token of tokens) found.add(token.length);
  return found;
}
