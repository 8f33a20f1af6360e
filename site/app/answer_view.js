/** The streamed text on the page. */

import { announceAlso } from './announcer.js';
import { SentenceBuffer } from './sentences.js';
import { StreamedText } from './streamed_text.js';

/** What Markdown has. */
const MARKS = /[*_`|~]|\]\(|^ *(?:[-+>]|#+|\d+[.)]) /m;

export class AnswerView {
  #box;
  #asPlain;
  #mayBeMarkdown = false;
  #isMarked = false;
  #shown;
  #sentences = new SentenceBuffer();

  /**
   * @param {HTMLElement} box
   * @param {HTMLInputElement} asPlain
   */
  constructor(box, asPlain) {
    this.#box = box;
    this.#asPlain = asPlain;
    this.#shown = new StreamedText(box, lines);
    asPlain.addEventListener('change', () => void this.#shape());
  }

  get text() {
    return this.#shown.text;
  }

  /** @param {boolean} mayBeMarkdown */
  start(mayBeMarkdown) {
    this.clear();
    this.#mayBeMarkdown = mayBeMarkdown;
    this.#sentences = new SentenceBuffer();
    this.#box.hidden = false;
    this.#box.setAttribute('aria-busy', 'true');
  }

  /** @param {string} text */
  append(text) {
    this.#shown.append(text);
    if (this.#mayBeMarkdown && !this.#isMarked && MARKS.test(this.text.slice(-256))) {
      this.#isMarked = true;
      void this.#shape();
    }
    this.#say(this.#sentences.push(text));
  }

  finish() {
    this.#shown.draw();
    this.#say(this.#sentences.flush());
    this.#box.removeAttribute('aria-busy');
    this.#box.hidden = this.text === '';
  }

  clear() {
    this.#isMarked = false;
    this.#offerPlain(false);
    this.#box.hidden = true;
    this.#begin(lines, '');
  }

  /** Without a reader it stays as it is. */
  async #shape() {
    const reader = await import('./markdown.js').catch(() => null);
    if (reader === null || !this.#isMarked) return;
    this.#offerPlain(true);
    this.#begin(this.#asPlain.checked ? lines : reader.readBlocks, this.text);
  }

  /** @param {import('./streamed_text.js').Reader} read @param {string} text */
  #begin(read, text) {
    this.#box.replaceChildren();
    this.#box.classList.toggle('markdown', read !== lines);
    this.#shown.stop();
    this.#shown = new StreamedText(this.#box, read);
    this.#shown.append(text);
    this.#shown.draw();
  }

  /** @param {boolean} offered */
  #offerPlain(offered) {
    this.#asPlain.closest('label')?.toggleAttribute('hidden', !offered);
  }

  /** @param {string} sentences */
  #say(sentences) {
    if (sentences !== '') announceAlso(sentences);
  }
}

/** @type {import('./streamed_text.js').Reader} */
function lines(text) {
  return text.split(/(?<=\n)/).map((raw) => ({ raw, node: () => document.createTextNode(raw) }));
}
