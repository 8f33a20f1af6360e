/** The adapters of a loaded model: which is on, and which stay ready so that they can be put on at once. */

import { throwIfAborted } from '../errors.js';
import { historyOf } from '../generation/history.js';
import { openAdapter, reopenAdapter } from './opening.js';

/** @typedef {import('../session.js').Session} Session */
/** @typedef {import('./opening.js').Opened} Opened */
/** @typedef {{ name: string, url: string, rank: number, parameters: number, bytes: number }} AdapterFacts `bytes` of its shard */
/**
 * @typedef {object} Swap
 * @property {AdapterFacts | null} adapter what is on now
 * @property {number} ms
 * @property {number} networkBytes
 * @property {number} memoryBytes on the GPU, of all that are ready, beside the base's
 * @property {number} ready how many are
 */

/** The least recently used goes when there are more. */
const MOST_READY = 4;

export class AdapterShelf {
  /** @param {Session} base */
  constructor(base) {
    this.base = base;
    /** @type {Map<string, Opened>} by address, the latest used last */
    this.ready = new Map();
    /** @type {string | null} address of what is on */
    this.on = null;
  }

  /**
   * @param {string | null} url of the adapter's folder, ending in a slash; null for the base alone
   * @param {AbortSignal} signal
   * @returns {Promise<{ session: Session, swap: Swap }>} the session to play from now on, its states empty
   */
  async put(url, signal) {
    const began = performance.now();
    throwIfAborted(signal);
    const known = url === null ? undefined : this.ready.get(url);
    const opened = url === null ? null : known ?? (await this.open(url, signal));
    if (opened) this.keep(/** @type {string} */ (url), opened);
    this.on = url;
    const session = opened?.session ?? this.base;
    historyOf(session).forget();
    const networkBytes = known ? 0 : opened?.fetched ?? 0;
    const adapter = opened && factsOf(opened, /** @type {string} */ (url));
    const ms = performance.now() - began;
    return { session, swap: { adapter, ms, networkBytes, memoryBytes: this.bytes(), ready: this.ready.size } };
  }

  /**
   * What is on is made again on another device, and nothing is fetched for that; what is only ready is given up.
   *
   * @param {Session} base on that device
   * @param {AbortSignal} signal
   * @returns {Promise<Session>} the session to play
   */
  async moveTo(base, signal) {
    const { on } = this;
    const known = on === null ? undefined : this.ready.get(on);
    const opened = on !== null && known ? await reopenAdapter(base, known, on, signal) : null;
    this.base = base;
    this.ready.clear();
    if (opened) this.ready.set(/** @type {string} */ (on), opened);
    return opened?.session ?? base;
  }

  /** @param {string} url @param {AbortSignal} signal @returns {Promise<Opened>} */
  open(url, signal) {
    const staying = [...this.ready.values()].slice(1 - MOST_READY);
    const held = staying.reduce((sum, { bytes }) => sum + bytes, 0);
    const compiled = [this.base, ...staying.map(({ session }) => session)];
    return openAdapter(this.base, url, { signal, held, compiled });
  }

  /** @param {string} url @param {Opened} opened */
  keep(url, opened) {
    this.ready.delete(url);
    this.ready.set(url, opened);
    for (const [old, { own }] of [...this.ready].slice(0, -MOST_READY)) {
      for (const buffer of own) buffer.destroy();
      this.ready.delete(old);
    }
  }

  /** @returns {number} of GPU memory */
  bytes() {
    return [...this.ready.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }
}

/** @param {Opened} opened @param {string} url @returns {AdapterFacts} */
function factsOf({ adapter: { name, rank, parameters, shard } }, url) {
  return { name, url, rank, parameters, bytes: shard.bytes };
}
