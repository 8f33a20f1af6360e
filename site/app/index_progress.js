/** Progress of running a collection through the model. */

import { button, element } from './dom.js';
import { text } from './texts.js';

export class IndexProgress {
  #bar;
  #text = element('p', { class: 'note numbers' });
  #total;

  /**
   * @param {number} total passages
   * @param {() => void} onCancel
   */
  constructor(total, onCancel) {
    this.#total = total;
    this.#bar = element('progress', { 'aria-label': text('search.reading'), max: total, value: 0 });
    this.root = element(
      'div',
      { class: 'notice' },
      this.#text,
      this.#bar,
      element('p', { class: 'row' }, button(text('cancel'), onCancel, { class: 'quiet' })),
    );
  }

  /** @param {number} done passages */
  update(done) {
    this.#bar.value = done;
    this.#text.textContent = text('search.progress', { done, n: this.#total });
  }
}
