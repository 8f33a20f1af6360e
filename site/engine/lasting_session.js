/** A session that outlives its GPU: where that is lost, a call goes on with a session on another, which holds the same. */

import { Losses } from './recovery.js';
import { openSession, reopenSession } from './session.js';

/** @typedef {import('./session.js').Session} Session */
/** @typedef {import('./session.js').LoadRequest} LoadRequest */
/** @typedef {import('./session.js').Rehearse} Rehearse */
/** @typedef {import('./adapters/shelf.js').AdapterShelf} AdapterShelf */
/**
 * @typedef {object} Opening
 * @property {(event: import('./progress.js').ProgressEvent) => void} report
 * @property {AbortSignal} signal
 * @property {import('./transfer/gate.js').Gate} gate
 * @property {Rehearse} rehearse
 * @property {(recovery: import('./recovery.js').Recovery) => void} onRecovered
 */

export class LastingSession {
  /**
   * @param {LoadRequest} request
   * @param {Session} base
   * @param {Losses} losses
   * @param {Rehearse} rehearse
   */
  constructor(request, base, losses, rehearse) {
    this.request = request;
    this.losses = losses;
    this.rehearse = rehearse;
    this.base = base;
    /** The base, or what an adapter makes of it. */
    this.session = base;
    /** @type {AdapterShelf | null} */
    this.shelf = null;
  }

  /** @param {LoadRequest} request @param {Opening} opening @returns {Promise<LastingSession>} */
  static async open(request, { report, signal, gate, rehearse, onRecovered }) {
    const losses = new Losses(onRecovered);
    const base = await openSession(request, report, signal, gate, { losses, rehearse });
    losses.finished();
    return new LastingSession(request, base, losses, rehearse);
  }

  /**
   * @template T
   * @param {(session: Session) => Promise<T>} use begun anew after a loss
   * @param {AbortSignal} signal
   * @returns {Promise<T>}
   */
  async run(use, signal) {
    for (;;) {
      try {
        this.session.device.check();
        const value = await use(this.session);
        this.losses.finished();
        return value;
      } catch (cause) {
        await this.recover(cause, signal);
      }
    }
  }

  /**
   * @param {unknown} cause
   * @param {AbortSignal} signal
   * @returns {Promise<Session>} another that holds the same, with empty states
   * @throws the cause where it is no loss of the GPU, or one too many
   */
  async recover(cause, signal) {
    const fault = await this.session.device.reasonOf(cause);
    return this.losses.outlive(() => this.reopen(signal), fault);
  }

  /** @param {AbortSignal} signal @returns {Promise<Session>} the base's stays where only the adapter cannot be had again */
  async reopen(signal) {
    if (this.base.device.fault) {
      this.base = await reopenSession(this.request, this.base, this.rehearse, signal);
      this.shelf?.moveTo(this.base);
    }
    this.session = (await this.shelf?.restore(signal)) ?? this.base;
    return this.session;
  }

  /**
   * @param {string | null} url of an adapter's folder; null takes it off
   * @param {AbortSignal} signal
   * @returns {Promise<import('./adapters/shelf.js').Swap>}
   */
  async setAdapter(url, signal) {
    const { swapAdapter } = await import('./adapters/shelf.js');
    return swapAdapter(this, url, signal);
  }

  /** A call that was not `run` came to its end. */
  finished() {
    this.losses.finished();
  }

  async destroy() {
    this.base.device.destroy();
  }
}
