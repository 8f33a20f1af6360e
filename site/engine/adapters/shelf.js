/** The adapters of a loaded model: which is on, and which stay ready so that they can be put on at once. */

import { OutOfMemoryError, throwIfAborted } from '../errors.js';
import { historyOf } from '../generation/history.js';
import { openAdapter, reopenAdapter } from './opening.js';

/** @typedef {import('../session.js').Session} Session */
/** @typedef {import('../lasting_session.js').LastingSession} LastingSession */
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
    /** @type {Opened | null} */
    this.on = null;
    /** Whether what is on is about to come off, and so is not made again after a loss. */
    this.leaving = false;
  }

  /**
   * @param {LastingSession} model gets the session to play from now on, its states empty
   * @param {string | null} url of the adapter's folder, ending in a slash; null for the base alone
   * @param {AbortSignal} signal
   * @returns {Promise<Swap>}
   */
  async put(model, url, signal) {
    const began = performance.now();
    throwIfAborted(signal);
    const known = url === null ? undefined : this.ready.get(url);
    const opened = url === null ? null : known ?? (await this.open(url, signal));
    if (opened) this.keep(opened);
    this.on = opened;
    model.session = opened?.session ?? this.base;
    historyOf(model.session).forget();
    const networkBytes = known ? 0 : opened?.fetched ?? 0;
    const adapter = opened && factsOf(opened);
    const ms = performance.now() - began;
    return { adapter, ms, networkBytes, memoryBytes: bytesOf([...this.ready.values()]), ready: this.ready.size };
  }

  /** @param {Session} base on another device; what was ready is given up */
  moveTo(base) {
    this.base = base;
    this.ready.clear();
  }

  /**
   * What is on is made again, of what the store has kept.
   *
   * @param {AbortSignal} signal
   * @returns {Promise<Session>} the session to play
   */
  async restore(signal) {
    const { base, on } = this;
    if (!on || this.leaving) return base;
    const opened = await reopenAdapter(base, on, signal);
    this.keep(opened);
    this.on = opened;
    return opened.session;
  }

  /** @param {string} url @param {AbortSignal} signal @returns {Promise<Opened>} */
  async open(url, signal) {
    const staying = [...this.ready.values()].slice(1 - MOST_READY);
    const compiled = [this.base, ...staying.map(({ session }) => session)];
    try {
      return await openAdapter(this.base, url, { signal, held: bytesOf(staying), compiled });
    } catch (cause) {
      const oldest = [...this.ready.keys()].find((each) => each !== this.on?.url);
      if (!(cause instanceof OutOfMemoryError) || oldest === undefined) throw cause;
      this.free(oldest);
      return this.open(url, signal);
    }
  }

  /** @param {Opened} opened */
  keep(opened) {
    this.ready.delete(opened.url);
    this.ready.set(opened.url, opened);
    for (const old of [...this.ready.keys()].slice(0, -MOST_READY)) this.free(old);
  }

  /** @param {string} url of what is ready */
  free(url) {
    for (const buffer of this.ready.get(url)?.own ?? []) buffer.destroy();
    this.ready.delete(url);
  }
}

/** @param {Opened[]} opened @returns {number} of GPU memory */
function bytesOf(opened) {
  return opened.reduce((sum, { bytes }) => sum + bytes, 0);
}

/**
 * Where the GPU is lost, only the base is had again for this: so what is on can come off though it is nowhere any more. If the
 * swap then fails, the session is the one on the lost GPU as before, and the next call recovers it with what is still on.
 *
 * @param {LastingSession} model
 * @param {string | null} url of the adapter's folder; null takes it off
 * @param {AbortSignal} signal
 * @returns {Promise<Swap>}
 */
export async function swapAdapter(model, url, signal) {
  const shelf = (model.shelf ??= new AdapterShelf(model.base));
  const { session: before } = model;
  shelf.leaving = shelf.on !== null && shelf.on.url !== url;
  if (shelf.leaving) model.session = model.base;
  try {
    return await model.run(() => shelf.put(model, url, signal), signal);
  } catch (cause) {
    if (shelf.leaving) model.session = before;
    throw cause;
  } finally {
    shelf.leaving = false;
  }
}

/** @param {Opened} opened @returns {AdapterFacts} */
function factsOf({ url, adapter: { name, rank, parameters, shard } }) {
  return { name, url, rank, parameters, bytes: shard.bytes };
}
