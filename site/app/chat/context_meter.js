/** How much of what the model can hold at once the conversation takes. */

import { element } from '../dom.js';
import { text } from '../texts.js';

export class ContextMeter {
  #root;
  #bar = element('meter', { min: 0, max: 1, low: 0.75, high: 0.9, optimum: 0 });
  #note = element('span', { class: 'note numbers' });
  #context = 0;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.#root = root;
    this.#bar.setAttribute('aria-label', text('chat.context'));
    root.replaceChildren(this.#bar, this.#note);
  }

  /** @param {number} context most tokens of the model */
  begin(context) {
    this.#context = context;
    this.show(0);
  }

  /** @param {number} used tokens of prompt and answer */
  show(used) {
    this.#root.hidden = this.#context === 0;
    this.#bar.value = this.#context === 0 ? 0 : Math.min(1, used / this.#context);
    this.#note.textContent = text('chat.context.used', { used, n: this.#context });
  }
}
