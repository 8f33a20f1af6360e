/** One message of a conversation: who says it, what, and what can be done with it. */

import { announce } from '../announcer.js';
import { button, element } from '../dom.js';
import { readBlocks } from '../markdown.js';
import { StreamedText } from '../streamed_text.js';
import { text } from '../texts.js';

/** @typedef {import('./conversation.js').Said} Said */
/**
 * @typedef {object} Hooks
 * @property {(content: string) => void} [onEdit] the visitor says something else in its place
 * @property {() => void} [onAgain] the model answers anew
 */

export class MessageView {
  #body = element('div', { class: 'words markdown' });
  #actions = element('p', { class: 'row actions' });
  #hooks;
  /** @type {Said} */
  #said;

  /**
   * @param {Said} said
   * @param {Hooks} hooks
   */
  constructor(said, hooks) {
    this.#said = said;
    this.#hooks = hooks;
    const speaker = said.role === 'user' ? text('chat.you') : text('chat.model');
    this.root = element('li', { class: `message ${said.role}` }, element('h3', {}, speaker), this.#body, this.#actions);
    this.markdown = new StreamedText(this.#body, readBlocks);
    this.#showContent();
    this.#showActions();
  }

  /** While the model writes: nothing can be done with what is not there yet. */
  begin() {
    this.#actions.hidden = true;
    this.root.setAttribute('aria-busy', 'true');
  }

  /** @param {boolean} stopped */
  finish(stopped) {
    this.markdown.draw();
    this.#said = { role: 'assistant', content: this.markdown.text, ...(stopped ? { stopped } : {}) };
    this.#actions.hidden = false;
    this.#showActions();
    this.root.removeAttribute('aria-busy');
  }

  #showContent() {
    const { role, content } = this.#said;
    if (role === 'user') return this.#body.replaceChildren(element('p', { class: 'typed' }, content));
    if (content === '') return undefined;
    this.markdown.append(content);
    return this.markdown.draw();
  }

  #showActions() {
    const { onEdit, onAgain } = this.#hooks;
    const { stopped, content } = this.#said;
    const note = stopped ? [element('span', { class: 'note' }, text('chat.stopped'))] : [];
    const copy = content === '' ? [] : [button(text('copy'), () => this.#copy(), { class: 'link' })];
    const edit = onEdit ? [button(text('chat.edit'), () => this.#edit(onEdit), { class: 'link' })] : [];
    const again = onAgain ? [button(text('chat.again'), onAgain, { class: 'link' })] : [];
    this.#actions.replaceChildren(...copy, ...edit, ...again, ...note);
  }

  async #copy() {
    try {
      await navigator.clipboard.writeText(this.#said.content);
      announce(text('copied'));
    } catch {
      announce(text('copy.refused'));
    }
  }

  /** @param {(content: string) => void} onEdit */
  #edit(onEdit) {
    const field = element('textarea', { rows: 3, 'aria-label': text('chat.edit.field') });
    field.value = this.#said.content;
    const back = () => {
      this.#showContent();
      this.#showActions();
    };
    const send = () => (field.value.trim() === '' ? field.focus() : onEdit(field.value));
    this.#body.replaceChildren(field);
    this.#actions.replaceChildren(
      button(text('chat.edit.send'), send),
      button(text('cancel'), back, { class: 'quiet' }),
    );
    field.focus();
  }
}
