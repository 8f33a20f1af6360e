/** What a model finds in a message, drawn while it writes: the fields, one after another, and their places. */

import { announceAlso } from './announcer.js';
import { element } from './dom.js';
import { FieldReader } from './field_reader.js';
import { inWords } from './field_words.js';
import { formatCount } from './format.js';
import { colorOf, connectMarks, showMarked } from './marked_message.js';
import { placesOf } from './value_places.js';

/** @typedef {import('./field_reader.js').Field} Field */

const DRAW_MS = 50;

export class ExtractionView {
  #list;
  #message;
  #asked = '';
  /** @type {string[]} */
  #wanted = [];
  #reader = new FieldReader();
  /** How many of the fields are done and drawn. */
  #done = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** All that the model has written. */
  written = '';

  /**
   * @param {HTMLElement} list
   * @param {HTMLElement} message
   */
  constructor(list, message) {
    this.#list = list;
    this.#message = message;
    connectMarks(message);
  }

  /** Whether the model wrote its answer to the end, as an answer should be. */
  get complete() {
    return this.#reader.complete;
  }

  /** The fields that are done, as JSON for people and programs. */
  get json() {
    return JSON.stringify(Object.fromEntries(this.#finished().map(([name, { value }]) => [name, value])), null, 2);
  }

  /**
   * @param {string} message
   * @param {string[]} wanted
   */
  start(message, wanted) {
    this.clear();
    this.#asked = message;
    this.#wanted = wanted;
    this.#list.setAttribute('aria-busy', 'true');
    this.#draw();
    this.#mark();
    this.#show(true);
  }

  /** @param {string} text */
  append(text) {
    this.written += text;
    this.#reader.push(text);
    this.#timer ??= setTimeout(() => this.#draw(), DRAW_MS);
  }

  /** @param {boolean} stopped by the visitor */
  finish(stopped) {
    clearTimeout(this.#timer);
    this.#draw();
    this.#list.removeAttribute('aria-busy');
    for (const row of this.#list.querySelectorAll('.waiting-for, .writing')) row.className = 'left-out';
    const found = this.#finished().filter(([, { value }]) => value !== null).length;
    const count = `${found} of ${formatCount(this.#wanted.length, 'field')} found.`;
    announceAlso(stopped ? `Stopped: ${count}` : `Done: ${count}`);
    if (this.written === '') this.clear();
  }

  clear() {
    this.#reader = new FieldReader();
    this.#done = 0;
    this.written = '';
    this.#show(false);
  }

  /** @param {boolean} visible */
  #show(visible) {
    this.#list.hidden = !visible;
    this.#message.hidden = !visible;
  }

  #finished() {
    return [...this.#reader.fields].filter(([, { done }]) => done);
  }

  /** The wanted fields in their order, and whatever else the model has written. */
  #names() {
    return [...new Set([...this.#wanted, ...this.#reader.fields.keys()])];
  }

  #draw() {
    this.#timer = undefined;
    const finished = this.#finished();
    this.#list.replaceChildren(...this.#names().map((name, i) => this.#row(name, i)));
    if (finished.length === this.#done) return;
    for (const [name, field] of finished.slice(this.#done)) announceAlso(sentence(name, field));
    this.#done = finished.length;
    this.#mark();
  }

  #mark() {
    const values = this.#finished().map(([name, { value }]) => /** @type {[string, string]} */ ([name, value ?? '']));
    showMarked(this.#message, this.#asked, placesOf(this.#asked, values), this.#names());
  }

  /**
   * @param {string} name
   * @param {number} index
   */
  #row(name, index) {
    const swatch = element('span', { class: `swatch ${colorOf(index)}`, 'aria-hidden': 'true' });
    const field = this.#reader.fields.get(name);
    return element(
      'div',
      { class: field === undefined ? 'waiting-for' : field.done ? 'done' : 'writing' },
      element('dt', {}, swatch, inWords(name)),
      element('dd', {}, ...this.#value(name, field)),
    );
  }

  /**
   * @param {string} name
   * @param {Field | undefined} field
   */
  #value(name, field) {
    if (field === undefined) return [];
    if (field.done && (field.value ?? '') === '') return [element('span', { class: 'absent' }, 'not in the message')];
    const notes = [];
    if (!this.#wanted.includes(name)) notes.push('The model was not asked for this.');
    if (field.done && !this.#asked.includes(field.value ?? '')) {
      notes.push('The message does not say this word for word: the model is mistaken.');
    }
    const value = element('span', { class: 'value' }, field.value ?? '');
    return [value, ...notes.map((note) => element('span', { class: 'doubt' }, note))];
  }
}

/**
 * @param {string} name
 * @param {Field} field
 */
function sentence(name, { value }) {
  return `${inWords(name)}: ${value === null ? 'not in the message' : value}.`;
}
