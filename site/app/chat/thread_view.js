/** What was said, from the first message to the last; it keeps to its end while that is in sight. */

import { MessageView } from './message_view.js';

/** @typedef {import('./conversation.js').Conversation} Conversation */
/** @typedef {import('./conversation.js').Said} Said */

/** So near to its end a visitor reads along. */
const NEAR_PX = 120;

export class ThreadView {
  #list;
  #onEdit;
  #onAgain;

  /**
   * @param {HTMLElement} list
   * @param {object} hooks
   * @param {(index: number, content: string) => void} hooks.onEdit
   * @param {(index: number) => void} hooks.onAgain
   */
  constructor(list, { onEdit, onAgain }) {
    this.#list = list;
    this.#onEdit = onEdit;
    this.#onAgain = onAgain;
  }

  /** @param {Conversation} conversation */
  show({ said }) {
    this.#list.replaceChildren(...said.map((each, index) => this.#viewOf(each, index).root));
    this.#list.hidden = said.length === 0;
  }

  /**
   * An empty answer behind all that was said.
   * @param {Conversation} conversation
   * @returns {MessageView}
   */
  beginAnswer({ said }) {
    const view = this.#viewOf({ role: 'assistant', content: '' }, said.length);
    view.begin();
    this.#list.append(view.root);
    this.#list.hidden = false;
    view.root.scrollIntoView({ block: 'nearest' });
    return view;
  }

  /** @param {() => void} change after which the end is in sight again, if it was */
  keepingEnd(change) {
    const end = this.#list.getBoundingClientRect().bottom;
    const follows = end < innerHeight + NEAR_PX;
    change();
    if (follows) this.#list.lastElementChild?.scrollIntoView({ block: 'end' });
  }

  /** @param {Said} said @param {number} index */
  #viewOf(said, index) {
    const hooks = said.role === 'user'
      ? { onEdit: (/** @type {string} */ content) => this.#onEdit(index, content) }
      : { onAgain: () => this.#onAgain(index) };
    return new MessageView(said, hooks);
  }
}
