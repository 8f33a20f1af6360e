/** Lets transfers through, or holds them up: the visitor's pause, and the wait for a connection. */

import { throwIfAborted } from '../errors.js';

const LOOK_MS = 250;

export class Gate {
  constructor() {
    this.closing = new AbortController();
    /** @type {(() => void)[]} */
    this.waiting = [];
  }

  /** Fires when what passes must stop at once. @returns {AbortSignal} */
  get signal() {
    return this.closing.signal;
  }

  get paused() {
    return this.signal.aborted;
  }

  pause() {
    this.closing.abort();
  }

  resume() {
    if (!this.paused) return;
    this.closing = new AbortController();
    for (const wake of this.waiting.splice(0)) wake();
  }

  /** @param {AbortSignal} signal ends the wait, with an AbortedError */
  async passed(signal) {
    while (this.paused && !signal.aborted) {
      await either(signal, (wake) => this.waiting.push(wake));
    }
    throwIfAborted(signal);
  }
}

/**
 * @param {AbortSignal} signal ends the wait early
 * @param {(wake: () => void) => void} arrange
 */
async function either(signal, arrange) {
  await new Promise((resolve) => {
    const wake = () => {
      signal.removeEventListener('abort', wake);
      resolve(undefined);
    };
    signal.addEventListener('abort', wake);
    arrange(wake);
  });
}

/** @param {number} ms @param {AbortSignal} signal ends the wait, with an AbortedError */
export async function wait(ms, signal) {
  await either(signal, (wake) => setTimeout(wake, ms));
  throwIfAborted(signal);
}

/**
 * While the browser knows of no connection there is nothing to try. Workers hear no event when it is back.
 *
 * @param {AbortSignal} signal ends the wait, with an AbortedError
 */
export async function online(signal) {
  while (navigator.onLine === false) await wait(LOOK_MS, signal);
}
