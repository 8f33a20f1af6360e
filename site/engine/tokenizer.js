/** Text to ids and back, by the model's own tokenizer.json. */

import { InputTooLongError, TokenizerInvalidError } from './errors.js';
import { isByteToken } from './tokenizer/decoders.js';
import { partsOf } from './tokenizer/parts.js';
import { Tokenizer } from './tokenizer/tokenizer.js';

/** Languages that are written with letters have about four a token. */
const MOST_CHARACTERS = 12;
/** What fails for want of room on a text of so many characters is no fault of the tokenizer. */
const LONG = 100_000;

/** @param {unknown} cause @returns {string} */
function wordsOf(cause) {
  return cause instanceof Error ? cause.message : String(cause);
}

/** @param {() => number[]} make @param {number} length of the text @returns {number[]} */
function attempt(make, length) {
  try {
    return make();
  } catch (cause) {
    if (length > LONG && (cause instanceof RangeError || /** @type {any} */ (cause)?.name === 'InternalError')) {
      throw new InputTooLongError(`This browser has no room to read a text of ${length} characters: ${wordsOf(cause)}`);
    }
    throw new TokenizerInvalidError(`tokenizer.json cannot read this text: ${wordsOf(cause)}`);
  }
}

export class TextTokenizer {
  /**
   * @param {unknown} json tokenizer.json
   * @param {unknown} config tokenizer_config.json
   * @param {number} vocabulary ids that the model knows
   * @returns {Promise<TextTokenizer>} with the code that it needs
   * @throws {TokenizerInvalidError}
   */
  static async open(json, config, vocabulary) {
    const values = /** @type {Record<string, unknown>} */ (json);
    return new TextTokenizer(values, await partsOf(values), config, vocabulary);
  }

  /**
   * @param {Record<string, unknown>} json
   * @param {import('./tokenizer/parts.js').Parts} parts
   * @param {unknown} config
   * @param {number} vocabulary
   */
  constructor(json, parts, config, vocabulary) {
    this.vocabulary = vocabulary;
    try {
      const { clean_up_tokenization_spaces: cleansUp } = /** @type {Record<string, unknown>} */ (config);
      this.tokenizer = new Tokenizer(json, parts, cleansUp === true);
    } catch (cause) {
      throw new TokenizerInvalidError(`tokenizer.json cannot be used: ${wordsOf(cause)}`);
    }
  }

  /**
   * @param {string} text
   * @param {boolean} [special] adds what the tokenizer puts around a text
   * @returns {number[]} ids that the model knows: a kernel would pass over any other and leave old numbers there
   * @throws {TokenizerInvalidError}
   */
  encode(text, special = true) {
    return this.checked(() => this.tokenizer.encode(text, special), text.length);
  }

  /**
   * Of a text of megabytes only the beginning is looked at, until it has more than twice the tokens that are wanted: a cut
   * changes those beside it, and only those.
   *
   * @param {string} text
   * @param {number} most tokens that are wanted
   * @returns {{ bare: number[], whole: number[] }} its ids or those of its beginning, as they are and with what belongs around them
   */
  read(text, most) {
    for (let length = MOST_CHARACTERS * most; ; length *= 3) {
      const bare = this.encode(text.slice(0, length), false);
      if (length < text.length && bare.length <= 2 * most) continue;
      return { bare, whole: this.checked(() => this.tokenizer.postProcess(bare), 0) };
    }
  }

  /** @param {() => number[]} make @param {number} length of the text @returns {number[]} */
  checked(make, length) {
    const ids = attempt(make, length);
    const wrong = ids.findIndex((id) => !(Number.isInteger(id) && id >= 0 && id < this.vocabulary));
    if (wrong < 0) return ids;
    const what = `tokenizer.json gives this text the id ${ids[wrong]}`;
    throw new TokenizerInvalidError(`${what}, and the model's vocabulary is ${this.vocabulary}`);
  }

  /**
   * @param {string} text
   * @param {number} most tokens, special ones counted
   * @returns {{ ids: number[], truncated: boolean }} cut at the end of the text: the special tokens around it stay
   */
  encodeWithin(text, most) {
    return this.within(this.read(text, most), most);
  }

  /** @param {{ bare: number[], whole: number[] }} read @param {number} most */
  within({ bare, whole }, most) {
    if (whole.length <= most) return { ids: whole, truncated: false };
    const start = this.prefixLength(whole, bare);
    const suffix = whole.slice(start + bare.length);
    const kept = Math.max(0, most - start - suffix.length);
    const ids = [...whole.slice(0, start), ...bare.slice(0, kept), ...suffix].slice(0, most);
    return { ids, truncated: true };
  }

  /** @param {number[]} whole @param {number[]} bare @returns {number} special tokens before the text */
  prefixLength(whole, bare) {
    const added = whole.length - bare.length;
    for (let start = 0; start <= added; start++) {
      if (bare.every((id, i) => whole[start + i] === id)) return start;
    }
    return 0;
  }

  /** @param {number} id @returns {string} its text, or its name where it has none; nothing for an id without a token */
  tokenOf(id) {
    return this.decode([id]) || (this.tokenizer.tokens.get(id) ?? '');
  }

  /** @param {number[]} ids @returns {string} without special tokens; an id that has no token adds nothing */
  decode(ids) {
    return this.tokenizer.decode(ids);
  }

  /** @param {number} id @returns {boolean} it does not settle the text before it: part of a character, or not shown */
  isOpen(id) {
    const token = this.tokenizer.tokens.get(id);
    return token === undefined || this.tokenizer.special.has(id) || isByteToken(token);
  }
}
