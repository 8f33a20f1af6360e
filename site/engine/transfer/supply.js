/** What the transfers of a load share. */

import { Gate } from './gate.js';
import { refusalOf } from '../storage/store_errors.js';

/** @typedef {import('../storage/store.js').Store} Store */
/**
 * @typedef {object} Supply
 * @property {string} base the folder's address, ending in a slash
 * @property {Store} store
 * @property {Keeping} keeping
 * @property {import('../progress.js').Progress} progress
 * @property {AbortSignal} signal
 * @property {Gate} gate
 * @property {number} [stallMs] how long a silent connection is waited for; 30 s unless said
 * @property {number} [backoffMs] wait before the first retry
 * @property {number} [runBytes] of a request, at most; 8 MiB unless said
 * @property {number} [partBytes] of a chunk are kept as soon as they have come; 64 KiB unless said
 */

/**
 * @param {string} base
 * @param {Store} store
 * @param {import('../progress.js').Progress} progress
 * @param {AbortSignal} signal
 * @param {Gate} [gate]
 * @returns {Supply}
 */
export function makeSupply(base, store, progress, signal, gate = new Gate()) {
  return { base, store, keeping: new Keeping(store), progress, signal, gate };
}

/** Writes to a store until it refuses; then a load goes on and keeps nothing more. */
export class Keeping {
  /** @param {Store} store */
  constructor(store) {
    this.store = store;
    /** @type {'full' | 'refused' | null} why something is not kept */
    this.refusal = store.kind === 'none' ? 'refused' : null;
  }

  /** @param {Parameters<Store['write']>} order */
  async write(...order) {
    await this.attempt(() => this.store.write(...order));
  }

  /** @param {() => Promise<void>} use of the store; whatever it refuses, loading goes on without it */
  async attempt(use) {
    if (this.refusal) return;
    try {
      await use();
    } catch (cause) {
      this.refusal = refusalOf(cause);
    }
  }
}
