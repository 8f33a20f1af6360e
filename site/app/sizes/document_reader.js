/** Values of a JSON document from outside, each of the kind that is asked for; what is not asked for is ignored. */

import { SiteError } from '../catalogue.js';
import { text } from '../texts.js';

const MOST_CHARACTERS = 300;

export class DocumentReader {
  #value;
  #place;
  #url;

  /**
   * @param {unknown} value
   * @param {string} url of the document, for what is said of a fault
   * @param {string} [place] of the value in it
   */
  constructor(value, url, place = '') {
    this.#value = value;
    this.#url = url;
    this.#place = place;
  }

  /** @param {string} key @returns {DocumentReader} of an object's value */
  at(key) {
    return this.#inside(this.#object()[key], key);
  }

  /** @param {string} key @returns {DocumentReader | null} null where the object has no such value, or null */
  ifAt(key) {
    return (this.#object()[key] ?? null) === null ? null : this.at(key);
  }

  /** @param {number} most @returns {DocumentReader[]} */
  list(most) {
    const value = this.#value;
    if (!Array.isArray(value) || value.length > most) throw this.#wrong();
    return value.map((each, i) => this.#inside(each, String(i)));
  }

  /** @param {number} most @returns {[string, DocumentReader][]} */
  entries(most) {
    const found = Object.entries(this.#object());
    if (found.length > most || found.some(([key]) => key.length > MOST_CHARACTERS)) throw this.#wrong();
    return found.map(([key, value]) => [key, this.#inside(value, key)]);
  }

  text() {
    const value = this.#value;
    if (typeof value !== 'string' || value.length > MOST_CHARACTERS) throw this.#wrong();
    return value;
  }

  boolean() {
    if (typeof this.#value !== 'boolean') throw this.#wrong();
    return this.#value;
  }

  /** A whole number that is not negative: bytes, or a count. */
  size() {
    const value = this.number();
    if (!Number.isSafeInteger(value)) throw this.#wrong();
    return value;
  }

  number() {
    const value = this.#value;
    if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) throw this.#wrong();
    return value;
  }

  /** @returns {Record<string, unknown>} without what every object inherits */
  #object() {
    const value = this.#value;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw this.#wrong();
    return Object.assign(Object.create(null), value);
  }

  /** @param {unknown} value @param {string} key */
  #inside(value, key) {
    return new DocumentReader(value, this.#url, this.#place === '' ? key : `${this.#place}.${key.slice(0, 40)}`);
  }

  #wrong() {
    return new SiteError('SITE_FILE_INVALID', text('sizes.wrong', { place: this.#place || '/', url: this.#url }));
  }
}
