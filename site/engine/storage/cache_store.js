/** A store in the Cache API, where the browser has no private file system: one entry a chunk, one a record. */

import { seal, unseal } from '../hashing.js';
import { fillFrom } from './fill.js';

/** @typedef {import('./store.js').ChunkedFile} ChunkedFile */
/** @typedef {import('./store.js').Bytes} Bytes */

const STORE = 'thistledown-chunks-2';

export class CacheStore {
  /** @param {Cache} cache */
  constructor(cache) {
    /** @type {'cache'} */
    this.kind = 'cache';
    this.cache = cache;
  }

  /** @param {CacheStorage} storage @returns {Promise<CacheStore>} */
  static async open(storage) {
    return new CacheStore(await storage.open(STORE));
  }

  /** @param {ChunkedFile} file @returns {Promise<Uint8Array>} */
  async have({ sha256, chunks }) {
    const kept = new Uint8Array(chunks.length);
    for (const index of (await this.under(`files/${sha256}/`).catch(() => [])).map(Number)) {
      if (index < kept.length) kept[index] = 1;
    }
    return kept;
  }

  /** @param {ChunkedFile} file @param {number} index @param {Bytes} target @returns {Promise<boolean>} */
  async read({ sha256 }, index, target) {
    try {
      const response = await this.cache.match(address(`files/${sha256}/${index}`));
      return response?.body ? await fillFrom(response.body, target) : false;
    } catch {
      return false;
    }
  }

  /** @param {ChunkedFile} file @param {number} index @param {Bytes} bytes */
  async write({ sha256 }, index, bytes) {
    const headers = { 'content-type': 'application/octet-stream', 'content-length': String(bytes.byteLength) };
    await this.cache.put(address(`files/${sha256}/${index}`), new Response(bytes, { headers }));
  }

  async close() {}

  /** @returns {Promise<string[]>} */
  async names() {
    return [...new Set((await this.under('files/')).map((rest) => rest.split('/')[0]))];
  }

  /** @param {string} sha256 */
  async remove(sha256) {
    const kept = await this.under(`files/${sha256}/`);
    await Promise.all(kept.map((index) => this.cache.delete(address(`files/${sha256}/${index}`))));
  }

  /** @returns {Promise<string[]>} */
  recordNames() {
    return this.under('records/');
  }

  /** @param {string} name @returns {Promise<import('./store.js').Reading>} */
  async readRecord(name) {
    try {
      const response = await this.cache.match(address(`records/${name}`));
      const record = response && (await unseal(new Uint8Array(await response.arrayBuffer())));
      return { record: record ?? null, sure: record !== undefined };
    } catch {
      return { record: null, sure: false };
    }
  }

  /** @param {string} name @param {unknown} record */
  async writeRecord(name, record) {
    await this.cache.put(address(`records/${name}`), new Response(await seal(record)));
  }

  /** @param {string} name */
  async removeRecord(name) {
    await this.cache.delete(address(`records/${name}`));
  }

  /** @param {string} start @returns {Promise<string[]>} what stands behind it in the entries that begin so */
  async under(start) {
    const before = address(start);
    const requests = await this.cache.keys();
    return requests.map(({ url }) => url).filter((url) => url.startsWith(before)).map((url) => url.slice(before.length));
  }
}

/** @param {string} place @returns {string} entries need addresses; nothing is ever fetched from these */
function address(place) {
  return `${location.origin}/${STORE}/${place}`;
}
