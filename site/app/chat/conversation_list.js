/** The conversations that are kept on this device: one is open, any can be opened or deleted. */

import { button, element } from '../dom.js';
import { text } from '../texts.js';

/** @typedef {import('./conversation.js').Conversation} Conversation */

export class ConversationList {
  #root;
  #hooks;

  /**
   * @param {HTMLElement} root
   * @param {object} hooks
   * @param {() => void} hooks.onNew
   * @param {(conversation: Conversation) => void} hooks.onOpen
   * @param {(conversation: Conversation) => void} hooks.onDelete
   * @param {() => void} hooks.onDeleteAll
   */
  constructor(root, hooks) {
    this.#root = root;
    this.#hooks = hooks;
  }

  /** @param {Conversation[]} conversations @param {Conversation} open */
  show(conversations, open) {
    const { onNew, onDeleteAll } = this.#hooks;
    const kept = conversations.filter(({ isEmpty }) => !isEmpty);
    const all = kept.length < 2 ? [] : [button(text('chat.delete.all'), onDeleteAll, { class: 'link' })];
    this.#root.replaceChildren(
      element('p', { class: 'row' }, button(text('chat.new'), onNew, { class: 'quiet' }), ...all),
      element('ul', { class: 'conversations', hidden: kept.length === 0 }, ...kept.map((each) => this.#row(each, open))),
    );
  }

  /** @param {Conversation} conversation @param {Conversation} open */
  #row(conversation, open) {
    const { onOpen, onDelete } = this.#hooks;
    const title = button(conversation.title, () => onOpen(conversation), { class: 'link' });
    if (conversation.id === open.id) title.setAttribute('aria-current', 'true');
    const label = text('chat.delete.named', { title: conversation.title });
    const remove = button('✕', () => onDelete(conversation), { class: 'link remove', 'aria-label': label });
    return element('li', {}, title, remove);
  }
}
