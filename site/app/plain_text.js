/** Text that grows, drawn at most every 50 ms. */

const DRAW_MS = 50;

export class PlainText {
  #shown = document.createTextNode('');
  #undrawn = '';
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    root.append(this.#shown);
  }

  get text() {
    return this.#shown.data + this.#undrawn;
  }

  /** @param {string} text */
  append(text) {
    this.#undrawn += text;
    this.#timer ??= setTimeout(() => this.draw(), DRAW_MS);
  }

  draw() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#shown.appendData(this.#undrawn);
    this.#undrawn = '';
  }
}
