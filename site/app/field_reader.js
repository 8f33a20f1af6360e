/** Reads the JSON object that a model writes while it is written: each field as far as it has come. */

/**
 * @typedef {object} Field
 * @property {string | null} value
 * @property {boolean} done whether the value has come to its end
 */

/** @typedef {'start' | 'before name' | 'name' | 'colon' | 'before value' | 'text' | 'word' | 'after value' | 'end' | 'broken'} Place */

const SPACE = /\s/;
const WORD = /[\w+.-]/;
const FIRST_HALF = /[\ud800-\udbff]$/;

/** @type {Record<string, string>} */
const ESCAPED = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f' };

/**
 * It bears with what a small model gets wrong: text around the object, a comma too many or too few, line ends
 * inside of a value, escapes that JSON does not have, numbers and other bare words as values. Anything else breaks
 * the reading off, and what was read until then stays.
 */
export class FieldReader {
  /** @type {Map<string, Field>} in the order in which they were written */
  fields = new Map();
  /** @type {Place} */
  #place = 'start';
  #name = '';
  #word = '';
  /** The escape that is being read. */
  #escape = '';
  /** The first half of a character that was written as two escapes. */
  #half = '';

  /** Whether the object was written to its end. */
  get complete() {
    return this.#place === 'end';
  }

  /** @param {string} text what comes next, in whole characters */
  push(text) {
    for (const character of text) this.#place = this.#step(character);
  }

  /**
   * @param {string} character
   * @returns {Place}
   */
  #step(character) {
    switch (this.#place) {
      case 'start':
        return character === '{' ? 'before name' : 'start';
      case 'before name':
        return this.#beforeName(character);
      case 'name':
        return this.#readText(character, (text) => (this.#name += text)) ? 'colon' : 'name';
      case 'colon':
        return character === ':' ? 'before value' : this.#stay(character);
      case 'before value':
        return this.#beforeValue(character);
      case 'text':
        return this.#readValue(character);
      case 'word':
        return this.#readWord(character);
      case 'after value':
        return character === ',' ? 'before name' : this.#beforeName(character);
      default:
        return this.#place;
    }
  }

  /** White space changes nothing, and anything else should not be here. @param {string} character */
  #stay(character) {
    return SPACE.test(character) ? this.#place : 'broken';
  }

  /**
   * @param {string} character
   * @returns {Place}
   */
  #beforeName(character) {
    if (character === '}') return 'end';
    if (character === ',') return 'before name';
    if (character !== '"') return this.#stay(character);
    this.#name = '';
    return 'name';
  }

  /**
   * @param {string} character
   * @returns {Place}
   */
  #beforeValue(character) {
    if (character === '"') {
      this.fields.set(this.#name, { value: '', done: false });
      return 'text';
    }
    if (!WORD.test(character)) return this.#stay(character);
    this.#word = character;
    return 'word';
  }

  /**
   * @param {string} character
   * @returns {Place}
   */
  #readValue(character) {
    const field = /** @type {Field} */ (this.fields.get(this.#name));
    field.done = this.#readText(character, (text) => (field.value += text));
    return field.done ? 'after value' : 'text';
  }

  /**
   * @param {string} character
   * @returns {Place}
   */
  #readWord(character) {
    if (WORD.test(character)) {
      this.#word += character;
      return 'word';
    }
    this.fields.set(this.#name, { value: this.#word === 'null' ? null : this.#word, done: true });
    return this.#beforeName(character);
  }

  /**
   * A character of a text between quotation marks.
   * @param {string} character
   * @param {(text: string) => void} append
   * @returns {boolean} whether it ends the text
   */
  #readText(character, append) {
    if (this.#escape !== '') this.#readEscape(character, append);
    else if (character === '\\') this.#escape = character;
    else if (character === '"') return this.#flush(append);
    else this.#join(character, append);
    return false;
  }

  /**
   * @param {string} character
   * @param {(text: string) => void} append
   */
  #readEscape(character, append) {
    this.#escape += character;
    const isCode = this.#escape[1] === 'u';
    if (isCode && this.#escape.length < 6) return;
    const code = /^\\u([0-9a-f]{4})$/i.exec(this.#escape)?.[1];
    const unknown = isCode ? this.#escape : character;
    this.#escape = '';
    this.#join(code === undefined ? (ESCAPED[character] ?? unknown) : String.fromCharCode(parseInt(code, 16)), append);
  }

  /**
   * @param {string} text
   * @param {(text: string) => void} append
   */
  #join(text, append) {
    const joined = this.#half + text;
    this.#half = FIRST_HALF.exec(joined)?.[0] ?? '';
    append(joined.slice(0, joined.length - this.#half.length));
  }

  /** @param {(text: string) => void} append */
  #flush(append) {
    append(this.#half);
    this.#half = '';
    return true;
  }
}
