/** What a model finds in a message, drawn while it writes: the fields, one after another, and their places. */

import { announceAlso } from './announcer.js';
import { element } from './dom.js';
import { colorOf, connectMarks, inWords, showMarked } from './marked_message.js';
import { text as say } from './texts.js';
import { placesOf } from './value_places.js';
import { readFields } from './written_fields.js';

/**
 * @typedef {import('./written_fields.js').Field} Field
 * @typedef {import('./writing_form.js').Ending} Ending
 */

const DRAW_MS = 50;

export class ExtractionView {
  /** All that the model has written. */
  text = '';
  #list;
  #message;
  #asked = '';
  /** @type {string[]} */
  #wanted = [];
  /** @type {string[]} */
  #offered = [];
  /** How many fields were announced and marked. */
  #told = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

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
    return readFields(this.text).complete;
  }

  /** The fields that are done, for people and programs. */
  get json() {
    return JSON.stringify(Object.fromEntries(this.#done().map(([name, { value }]) => [name, value])), null, 2);
  }

  /**
   * @param {string} message
   * @param {string[]} wanted
   * @param {string[]} offered all fields of the kind, in the order that gives them their colours
   */
  start(message, wanted, offered) {
    this.clear();
    this.#asked = message;
    this.#wanted = wanted;
    this.#offered = offered;
    this.#message.replaceChildren(message);
    this.#list.setAttribute('aria-busy', 'true');
    this.#draw();
    this.#list.hidden = this.#message.hidden = false;
  }

  /** @param {string} text */
  append(text) {
    this.text += text;
    this.#timer ??= setTimeout(() => this.#draw(), DRAW_MS);
  }

  /** Of what failed or was cut short an alert tells. @param {Ending} ending */
  finish(ending) {
    clearTimeout(this.#timer);
    this.#draw();
    this.#list.removeAttribute('aria-busy');
    for (const row of this.#list.querySelectorAll('.awaited, .writing')) row.className = 'left-out';
    const counts = { found: this.#done().filter(([, { value }]) => value).length, n: this.#wanted.length };
    if (ending === 'stopped') announceAlso(say('extract.stopped', counts));
    else if (ending === 'done' && this.complete) announceAlso(say('extract.done', counts));
    if (this.text === '') this.clear();
  }

  clear() {
    this.text = '';
    this.#told = 0;
    this.#list.hidden = this.#message.hidden = true;
  }

  #done() {
    return [...readFields(this.text).fields].filter(([, { done }]) => done);
  }

  #draw() {
    this.#timer = undefined;
    const { fields } = readFields(this.text);
    const names = [...new Set([...this.#wanted, ...fields.keys()])];
    const colored = [...new Set([...this.#offered, ...names])];
    this.#list.replaceChildren(...names.map((name) => this.#row(name, colored.indexOf(name), fields.get(name))));
    const done = this.#done();
    if (done.length === this.#told) return;
    for (const [name, { value }] of done.slice(this.#told)) {
      announceAlso(`${inWords(name)}: ${value || say('extract.absent')}.`);
    }
    this.#told = done.length;
    const places = placesOf(this.#asked, done.map(([name, { value }]) => [name, value ?? '']));
    showMarked(this.#message, this.#asked, places, colored);
  }

  /**
   * @param {string} name
   * @param {number} index
   * @param {Field | undefined} field
   */
  #row(name, index, field) {
    const swatch = element('span', { class: `swatch ${colorOf(index)}`, 'aria-hidden': 'true' });
    const state = field === undefined ? 'awaited' : field.done ? 'done' : 'writing';
    const value = element('dd', {}, ...(field ? this.#value(name, field) : []));
    return element('div', { class: state }, element('dt', {}, swatch, inWords(name)), value);
  }

  /**
   * @param {string} name
   * @param {Field} field
   */
  #value(name, { value, done }) {
    if (done && !value) return [element('span', { class: 'absent' }, say('extract.absent'))];
    const text = value ?? '';
    const doubts = [];
    if (!this.#wanted.includes(name)) doubts.push(say('extract.unasked'));
    if (done && !this.#asked.includes(text)) doubts.push(say('extract.mistaken'));
    return [
      element('span', { class: 'value', translate: 'no' }, text),
      ...doubts.map((doubt) => element('span', { class: 'doubt' }, doubt)),
    ];
  }
}
