/** A tokenizer.json at work: added tokens, normalizer, pre-tokenizer, model, post-processor, and back. */

import { AddedTokens } from './added_tokens.js';
import { cleanUp, makeDecoder } from './decoders.js';
import { makeNormalizer } from './normalizers.js';
import { modelType } from './parts.js';
import { makePostProcessor } from './post_processors.js';
import { makePreTokenizer } from './pre_tokenizers.js';

/** @typedef {import('./normalizers.js').Part} Part */
/** @typedef {import('./added_tokens.js').AddedToken} AddedToken */
/** @typedef {import('./parts.js').Parts} Parts */

export class Tokenizer {
  /** @param {Part} json @param {Parts} parts @param {boolean} cleansUp as transformers does with what is no BPE */
  constructor(json, { Model, Charsmap }, cleansUp) {
    if (!Model) throw new Error(`no model "${modelType(json)}" is known`);
    this.normalize = makeNormalizer(json.normalizer, Charsmap);
    this.preTokenize = makePreTokenizer(json.pre_tokenizer);
    this.model = new Model(json.model);
    this.postProcess = makePostProcessor(json.post_processor);
    this.decoderPart = json.decoder;
    this.decoder = makeDecoder(json.decoder);
    this.cleansUp = cleansUp && modelType(json) !== 'BPE';
    const added = /** @type {AddedToken[]} */ (json.added_tokens ?? []).filter(({ content }) => content !== '');
    this.added = added.map((token) => ({ ...token, id: this.model.vocab.get(token.content) ?? token.id }));
    const [early, late] = [false, true].map((late) => this.added.filter(({ normalized }) => normalized === late));
    this.early = new AddedTokens(early, (text) => text);
    this.late = new AddedTokens(late, this.normalize);
    this.special = new Set(this.added.filter(({ special }) => special).map(({ id }) => id));
    /** @type {Map<number, string>} */
    this.tokens = new Map([...this.model.vocab].map(([token, id]) => [id, token]));
    for (const { id, content, normalized } of this.added) {
      this.tokens.set(id, normalized ? this.normalize(content) : content);
    }
  }

  /** @param {string} text @param {boolean} special adds what belongs around a text @returns {number[]} */
  encode(text, special) {
    const whole = text.toWellFormed();
    const ids = this.early.sections(whole).flatMap(({ start, end, id }) =>
      (id === null ? this.encodeSection(whole.slice(start, end), start === 0) : [id]));
    return special ? this.postProcess(ids) : ids;
  }

  /** @param {string} section @param {boolean} first @returns {number[]} */
  encodeSection(section, first) {
    const text = this.normalize(section);
    return this.late.sections(text).flatMap(({ start, end, id }) => {
      if (id !== null) return [id];
      const pieces = this.preTokenize([{ text: text.slice(start, end), first: first && start === 0 }]);
      return pieces.flatMap((piece) => this.model.encode(piece.text));
    });
  }

  /** @param {number[]} ids @returns {string} without special tokens; an id that has no token adds nothing */
  decode(ids) {
    const shown = ids.filter((id) => !this.special.has(id)).map((id) => this.tokens.get(id));
    const text = this.decoder(shown.filter((token) => token !== undefined)).join('');
    return this.cleansUp ? cleanUp(text) : text;
  }
}
