/** The streamed text on the page, also in a hidden tab: an answer in Markdown takes its form, all else is shown as it is. */

import { announceAlso } from './announcer.js';
import { element } from './dom.js';
import { PlainText } from './plain_text.js';
import { SentenceBuffer } from './sentences.js';

/** Without these a text is no Markdown, and its reader is not fetched. */
const MARKS = /[*_`|~]|\]\(|^ *(?:[-+>]|#+|\d+[.)]) /m;
/** They are looked for in so much of the end as is new at most. */
const END = 256;

export class AnswerView {
  #box;
  #asPlain;
  #choice;
  #mayBeMarkdown = false;
  #isMarked = false;
  /** @type {Promise<typeof import('./markdown/streamed_markdown.js') | null> | null} */
  #reader = null;
  /** @type {PlainText | import('./markdown/streamed_markdown.js').StreamedMarkdown} */
  #shown = new PlainText(element('div'));
  #sentences = new SentenceBuffer();

  /**
   * @param {HTMLElement} box
   * @param {HTMLInputElement} asPlain whether the visitor wants to see the marks
   */
  constructor(box, asPlain) {
    this.#box = box;
    this.#asPlain = asPlain;
    this.#choice = /** @type {HTMLElement} */ (asPlain.closest('label'));
    asPlain.addEventListener('change', () => void this.#shape());
  }

  get text() {
    return this.#shown.text;
  }

  /** @param {boolean} mayBeMarkdown */
  start(mayBeMarkdown) {
    this.clear();
    this.#mayBeMarkdown = mayBeMarkdown;
    this.#reader = null;
    this.#sentences = new SentenceBuffer();
    this.#box.hidden = false;
    this.#box.setAttribute('aria-busy', 'true');
  }

  /** @param {string} text */
  append(text) {
    this.#shown.append(text);
    if (this.#mayBeMarkdown && !this.#isMarked) this.#lookForMarks();
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
    this.#show(new PlainText(element('div', { class: 'plain' })));
    this.#choice.hidden = true;
    this.#box.hidden = true;
  }

  #lookForMarks() {
    this.#isMarked = MARKS.test(this.text.slice(-END));
    if (this.#isMarked) void this.#shape();
  }

  /** Gives a text with marks the form that it should have; without its reader it stays as it is. */
  async #shape() {
    this.#reader ??= import('./markdown/streamed_markdown.js').catch(() => null);
    const reader = await this.#reader;
    if (reader === null || !this.#isMarked) return;
    this.#choice.hidden = false;
    const Wanted = this.#asPlain.checked ? PlainText : reader.StreamedMarkdown;
    if (this.#shown instanceof Wanted) return;
    const { text } = this;
    this.#show(new Wanted(element('div', { class: this.#asPlain.checked ? 'plain' : 'markdown' })));
    this.#shown.append(text);
    this.#shown.draw();
  }

  /** @param {PlainText | import('./markdown/streamed_markdown.js').StreamedMarkdown} shown */
  #show(shown) {
    this.#shown = shown;
    this.#box.replaceChildren(shown.root);
  }

  /** @param {string} sentences */
  #say(sentences) {
    if (sentences !== '') announceAlso(sentences);
  }
}
