/** Progress of running texts through the model. */

import { button, element } from './dom.js';
import { text } from './texts.js';

/** @typedef {{ name: Key, count: Key, end: Key }} Words of a bar: `count` with `done` and `n`; `end` is on the button that ends it */
/** @typedef {import('./texts.js').Key} Key */

export class ReadingProgress {
  #bar;
  #text = element('p', { class: 'note numbers' });
  #total;
  #words;

  /**
   * @param {number} total texts
   * @param {Words} words
   * @param {() => void} onEnd
   */
  constructor(total, words, onEnd) {
    this.#total = total;
    this.#words = words;
    this.#bar = element('progress', { 'aria-label': text(words.name), max: total, value: 0 });
    this.root = element(
      'div',
      { class: 'notice' },
      this.#text,
      this.#bar,
      element('p', { class: 'row' }, button(text(words.end), onEnd, { class: 'quiet' })),
    );
  }

  /** @param {number} done texts */
  update(done) {
    this.#bar.value = done;
    this.#text.textContent = text(this.#words.count, { done, n: this.#total });
  }
}
