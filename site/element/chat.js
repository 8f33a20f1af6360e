/** What the element does: looks at the model, loads it when asked, and answers one message at a time. */

import { errors, inspect, load } from '../engine/index.js';

/** @typedef {import('../engine/index.js').Model} Model */
/** @typedef {import('./view.js').ChatView} ChatView */
/** @typedef {{ role: string, content: string }} Message */
/** @typedef {(name: 'ready' | 'answer' | 'problem', detail: unknown) => void} Announce */

/** After these the model is gone. */
const LOSSES = [errors.DeviceLostError, errors.OutOfMemoryError, errors.UnloadedError, errors.WorkerFailedError];

/** @param {number} bytes @returns {string} */
function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}

export class Chat {
  #leaving = new AbortController();
  /** @type {AbortController | null} of the answer under way */
  #answering = null;

  /**
   * @param {ChatView} view
   * @param {string | null} src the model's folder
   * @param {string | null} system what the model is told before anything else
   * @param {Announce} announce
   */
  constructor(view, src, system, announce) {
    this.view = view;
    this.src = src;
    this.announce = announce;
    /** @type {Model | null} */
    this.model = null;
    /** @type {Message[]} */
    this.messages = system ? [{ role: 'system', content: system }] : [];
    view.reset({ onLoad: () => this.load(), onSend: (text) => this.answer(text), onStop: () => this.#answering?.abort() });
    this.attempt(() => this.look());
  }

  end() {
    this.#leaving.abort();
    this.#answering?.abort();
    this.lose();
  }

  lose() {
    void this.model?.unload();
    this.model = null;
  }

  /** @param {() => Promise<void>} act whose failure is shown, unless nobody waits for it any more */
  async attempt(act) {
    try {
      await act();
    } catch (cause) {
      if (this.#leaving.signal.aborted) return;
      this.view.fail(cause instanceof Error ? cause.message : String(cause));
      this.announce('problem', cause);
    }
  }

  async look() {
    if (this.src === null) throw new errors.BadArgumentError('<thistledown-chat> has no src, the address of a model');
    const { signal } = this.#leaving;
    const { title, task, chat, ok, reason, downloadBytes, cachedBytes } = await inspect(this.src, { signal });
    if (task !== 'text-generation') throw new errors.BadArgumentError(`${title} does ${task}, and a chat needs text-generation`);
    if (!chat) throw new errors.NoChatTemplateError(`${title} has no chat template`);
    if (!ok) return this.view.fail(reason ?? 'This device cannot run the model');
    const left = downloadBytes - cachedBytes;
    this.view.offer(title, left > 0 ? `Load ${title} (${megabytes(left)})` : `Load ${title}`);
  }

  async load() {
    const { signal } = this.#leaving;
    const onProgress = (/** @type {import('../engine/index.js').Progress} */ { loaded, total }) => this.view.progress(loaded, total);
    await this.attempt(async () => {
      this.view.loading();
      const model = await load(/** @type {string} */ (this.src), { signal, onProgress });
      if (signal.aborted) return model.unload();
      this.model = model;
      this.view.ready();
      this.announce('ready', { info: model.info });
    });
  }

  /** @param {string} text of the visitor */
  async answer(text) {
    const { model } = this;
    if (!model || this.#answering) return;
    this.#answering = new AbortController();
    this.view.begin(text);
    const asked = [...this.messages, { role: 'user', content: text }];
    const answer = await this.write(model, asked, this.#answering.signal);
    this.#answering = null;
    if (this.#leaving.signal.aborted) return;
    this.view.finish(answer === null);
    if (this.model === null) this.view.again();
    if (answer === null) return;
    this.messages = [...asked, { role: 'assistant', content: answer }];
    this.announce('answer', { content: answer });
  }

  /**
   * @param {Model} model
   * @param {Message[]} messages
   * @param {AbortSignal} signal
   * @returns {Promise<string | null>} what was written; null where that failed
   */
  async write(model, messages, signal) {
    let written = '';
    try {
      for await (const { text } of model.generate(messages, { signal })) {
        written += text;
        this.view.append(text);
      }
    } catch (cause) {
      if (cause instanceof errors.AbortedError) return written;
      await this.attempt(() => Promise.reject(cause));
      if (LOSSES.some((type) => cause instanceof type)) this.lose();
      return null;
    }
    return written;
  }
}
