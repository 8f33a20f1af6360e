/** What the element shows: a log of the conversation, a labelled field, and a status that is read out politely. */

import { sheet } from './styles.js';

/** @typedef {{ onLoad: () => void, onSend: (text: string) => void, onStop: () => void }} Handlers */

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, string>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[T]}
 */
function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

export class ChatView {
  /** @type {Handlers} */
  #handlers = { onLoad: () => {}, onSend: () => {}, onStop: () => {} };
  #text = document.createTextNode('');

  /** @param {ShadowRoot} root */
  constructor(root) {
    root.adoptedStyleSheets = [sheet()];
    // Live regions would read an answer piece by piece: while it is written the log is silent, and the status says when it is done.
    this.log = make('div', { role: 'log', 'aria-label': 'Conversation', 'aria-live': 'off', tabindex: '0' });
    this.status = make('p', { role: 'status', 'aria-live': 'polite' });
    this.bar = make('progress', { 'aria-label': 'Download' });
    this.load = make('button', { type: 'button' });
    this.field = make('textarea', { id: 'message', rows: '2' });
    this.send = make('button', { type: 'submit' }, 'Send');
    this.stop = make('button', { type: 'button' }, 'Stop');
    const label = make('label', { for: 'message' }, 'Message');
    this.form = make('form', {}, label, this.field, make('div', { class: 'buttons' }, this.send, this.stop));
    root.replaceChildren(this.log, this.status, this.bar, this.load, this.form);
    this.#connect();
  }

  #connect() {
    this.load.addEventListener('click', () => this.#handlers.onLoad());
    this.stop.addEventListener('click', () => this.#handlers.onStop());
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.field.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#submit();
    });
  }

  #submit() {
    const text = this.field.value.trim();
    if (text !== '' && !this.send.disabled) this.#handlers.onSend(text);
  }

  /** @param {...HTMLElement} shown of the parts that come and go */
  #show(...shown) {
    for (const part of [this.bar, this.load, this.form, this.stop]) part.hidden = !shown.includes(part);
  }

  /** @param {Handlers} handlers */
  reset(handlers) {
    this.#handlers = handlers;
    this.log.replaceChildren();
    this.load.textContent = '';
    this.#show();
    this.say('Looking at the model…');
  }

  /** @param {string} text */
  say(text) {
    this.status.classList.remove('problem');
    this.status.textContent = text;
  }

  /** @param {string} title @param {string} action */
  offer(title, action) {
    this.load.textContent = action;
    this.#show(this.load);
    this.say(`${title} runs on your own device: what you write stays here.`);
  }

  loading() {
    this.bar.removeAttribute('value');
    this.#show(this.bar);
    this.say('Loading the model…');
  }

  /** @param {number} loaded @param {number} total bytes */
  progress(loaded, total) {
    this.bar.max = total;
    this.bar.value = loaded;
  }

  ready() {
    this.send.disabled = false;
    this.#show(this.form);
    this.say('The model is ready.');
    this.field.focus();
  }

  /** @param {string} text of the visitor, whose answer begins */
  begin(text) {
    this.#text = document.createTextNode('');
    this.log.setAttribute('aria-live', 'off');
    this.log.setAttribute('aria-busy', 'true');
    this.#add('You', 'user', document.createTextNode(text));
    this.#add('Model', 'assistant', this.#text);
    this.field.value = '';
    this.send.disabled = true;
    this.#show(this.form, this.stop);
    this.say('The model is writing…');
  }

  /** @param {string} who @param {string} kind @param {Text} text */
  #add(who, kind, text) {
    const heading = make('span', { class: 'who' }, `${who}: `);
    this.log.append(make('div', { class: `message ${kind}` }, heading, text));
    this.log.scrollTop = this.log.scrollHeight;
  }

  /** @param {string} text */
  append(text) {
    const atEnd = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 40;
    this.#text.appendData(text);
    if (atEnd) this.log.scrollTop = this.log.scrollHeight;
  }

  /** @param {boolean} failed and the status says so already */
  finish(failed) {
    this.log.removeAttribute('aria-busy');
    this.log.setAttribute('aria-live', 'polite');
    this.send.disabled = false;
    this.#show(this.form);
    if (!failed) this.say('The answer is complete.');
    this.field.focus();
  }

  /** The model is gone, and the status says why: it can be loaded again. */
  again() {
    this.#show(this.load);
    this.load.focus();
  }

  /** @param {string} what went wrong, and what may help */
  fail(what) {
    this.bar.hidden = true;
    this.load.hidden = this.load.textContent === '' || !this.form.hidden;
    this.say(what);
    this.status.classList.add('problem');
  }
}
