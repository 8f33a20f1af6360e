/** A Cache in memory that fails on order, and what of it survives a process. */

import { CacheStore } from '/engine/storage/cache_store.js';
import { flipped } from './disk.js';

/** Of a cache's operations, those that a fault may befall; some make other bytes of those that are read. */
const FAULTS = {
  'quota thrown': () => { throw new DOMException('full', 'QuotaExceededError'); },
  'state invalid': () => { throw new DOMException('gone', 'InvalidStateError'); },
  'unknown error': () => { throw new TypeError('disk'); },
  'not allowed': () => { throw new DOMException('denied', 'SecurityError'); },
  'entry missing': () => null,
  'a bit is flipped': (bytes) => flipped(bytes),
  'zeros instead': (bytes) => bytes.map(() => 0),
  'half of it': (bytes) => bytes.subarray(0, bytes.length / 2),
  'bytes too many': (bytes) => Uint8Array.from([...bytes, 0]),
};
export const CACHE_FAULTS = Object.keys(FAULTS);

/** What survives a process: bytes by address. */
export class Shelf {
  entries = new Map();
  room = Infinity;

  get used() {
    return [...this.entries.values()].reduce((sum, bytes) => sum + bytes.length, 0);
  }

  /** @param {{ sha256: string }} file @param {number} index @returns {Uint8Array | null} what is kept of the chunk */
  /** Whole chunks only. @returns {Uint8Array} */
  begun() {
    return new Uint8Array();
  }

  chunk({ sha256 }, index) {
    const found = [...this.entries].find(([url]) => url.endsWith(`/files/${sha256}/${index}`));
    return found ? found[1] : null;
  }

  /** @returns {string[]} of every file of which anything is kept */
  names() {
    return [...new Set([...this.entries.keys()].flatMap((url) => /\/files\/([^/]+)\//.exec(url)?.[1] ?? []))];
  }

  /** @returns {string[]} what a visit may find spoilt: `spoil` takes one of them */
  spots() {
    return [...this.entries.keys()];
  }

  /** @param {string} spot @param {(bytes: Uint8Array) => Uint8Array | null} change */
  spoil(spot, change) {
    const bytes = change(this.entries.get(spot));
    if (bytes) this.entries.set(spot, bytes);
    else this.entries.delete(spot);
  }
}

/** A process's view of a shelf; once it is frozen, nothing of it has any effect. */
export class ShelfMount {
  frozen = false;

  /** @param {Shelf} shelf @param {(operation: string) => string | null} meet */
  constructor(shelf, meet) {
    this.shelf = shelf;
    this.meet = meet;
  }

  async open() {
    return new CacheStore(this);
  }

  /** @param {string} operation @param {Uint8Array} [bytes] that are read */
  enter(operation, bytes = new Uint8Array()) {
    const fault = this.frozen ? null : this.meet(operation);
    if (this.frozen) throw new DOMException('the process has ended', 'AbortError');
    return fault && FAULTS[fault] ? FAULTS[fault](bytes) : bytes;
  }

  async match(url) {
    const kept = this.shelf.entries.get(url);
    const bytes = this.enter('match', kept);
    return kept && bytes ? new Response(bytes) : undefined;
  }

  async put(url, response) {
    const bytes = new Uint8Array(await response.arrayBuffer());
    this.enter('put');
    const grown = bytes.length - (this.shelf.entries.get(url)?.length ?? 0);
    if (this.shelf.used + grown > this.shelf.room) throw new DOMException('full', 'QuotaExceededError');
    this.shelf.entries.set(url, bytes);
  }

  async delete(url) {
    this.enter('delete');
    return this.shelf.entries.delete(url);
  }

  async keys() {
    this.enter('keys');
    return [...this.shelf.entries.keys()].map((url) => ({ url }));
  }
}
