/** Markdown that grows: what has not changed since the last drawing stays in the page, so that selections and scrolling do. */

import { readBlocks } from './markdown.js';

const DRAW_MS = 50;
/** A text that is slow to draw is drawn seldom: drawing takes at most this share of the time. */
const SHARE = 0.2;

export class StreamedMarkdown {
  /** @type {string[]} */
  #drawn = [];
  #text = '';
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #pause = DRAW_MS;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
  }

  get text() {
    return this.#text;
  }

  /** @param {string} text */
  append(text) {
    this.#text += text;
    this.#timer ??= setTimeout(() => this.draw(), this.#pause);
  }

  /** Draws what has come by now. */
  draw() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const began = performance.now();
    const blocks = readBlocks(this.#text);
    const same = this.#drawn.findIndex((raw, i) => blocks[i]?.raw !== raw);
    const first = same < 0 ? this.#drawn.length : same;
    while (this.root.childNodes.length > first) this.root.lastChild?.remove();
    this.root.append(...blocks.slice(first).map(({ node }) => node()));
    this.#drawn = blocks.map(({ raw }) => raw);
    this.#pause = Math.max(DRAW_MS, (performance.now() - began) / SHARE);
  }
}
