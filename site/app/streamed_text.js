/** A text that grows: what has not changed stays in the page, so that selections and scrolling do. */

/** @typedef {(text: string) => { raw: string, node: () => Node }[]} Reader */

const DRAW_MS = 50;
/** A text that is slow to draw is drawn seldom: drawing takes at most this share of the time. */
const SHARE = 0.2;

export class StreamedText {
  /** @type {string[]} */
  #drawn = [];
  #text = '';
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #pause = DRAW_MS;

  /** @param {HTMLElement} root @param {Reader} read */
  constructor(root, read) {
    this.root = root;
    this.read = read;
  }

  get text() {
    return this.#text;
  }

  /** @param {string} text */
  append(text) {
    this.#text += text;
    this.#timer ??= setTimeout(() => this.draw(), this.#pause);
  }

  stop() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Draws what has come by now. */
  draw() {
    this.stop();
    const began = performance.now();
    const blocks = this.read(this.#text);
    const same = this.#drawn.findIndex((raw, i) => blocks[i]?.raw !== raw);
    const first = same < 0 ? this.#drawn.length : same;
    while (this.root.childNodes.length > first) this.root.lastChild?.remove();
    this.root.append(...blocks.slice(first).map(({ node }) => node()));
    this.#drawn = blocks.map(({ raw }) => raw);
    this.#pause = Math.max(DRAW_MS, (performance.now() - began) / SHARE);
  }
}
