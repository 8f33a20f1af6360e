/**
 * <thistledown-chat src="/models/x/">: a conversation with a model that runs in this page. Import this file, and put the
 * element anywhere. Nothing is downloaded before the visitor asks for it.
 *
 * `model` is the loaded model, or null; `messages` the conversation; the events `ready`, `answer` and `problem` tell of them.
 */

import { Chat } from './chat.js';
import { ChatView } from './view.js';

/** @typedef {import('../engine/index.js').Model} Model */

export class ThistledownChat extends HTMLElement {
  static observedAttributes = ['src', 'system'];
  /** @type {ChatView | null} */
  #view = null;
  /** @type {Chat | null} */
  #chat = null;

  connectedCallback() {
    this.#view ??= new ChatView(this.shadowRoot ?? this.attachShadow({ mode: 'open' }));
    this.#begin();
  }

  disconnectedCallback() {
    this.#end();
  }

  attributeChangedCallback() {
    if (this.isConnected && this.#view) this.#begin();
  }

  /** @returns {Model | null} */
  get model() {
    return this.#chat?.model ?? null;
  }

  /** @returns {{ role: string, content: string }[]} */
  get messages() {
    return structuredClone(this.#chat?.messages ?? []);
  }

  #begin() {
    this.#end();
    const view = /** @type {ChatView} */ (this.#view);
    const announce = (/** @type {string} */ name, /** @type {unknown} */ detail) =>
      this.dispatchEvent(new CustomEvent(name, { detail }));
    this.#chat = new Chat(view, this.getAttribute('src'), this.getAttribute('system'), announce);
  }

  #end() {
    this.#chat?.end();
    this.#chat = null;
  }
}

customElements.define('thistledown-chat', ThistledownChat);
