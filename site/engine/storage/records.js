/**
 * Which models are kept, and what of each: a record a model, from the first byte of its download on. A file stays as long as
 * a record names it; so an update keeps the old version's files until the new one is whole and no tab is loading.
 */

import { sha256 } from '../hashing.js';
import { holdingRecords } from './locks.js';

/** @typedef {import('./store.js').Store} Store */
/** @typedef {{ sha256: string, bytes: number, chunkBytes: number }} KeptFile */
/**
 * @typedef {object} Kept
 * @property {string} base the folder's address
 * @property {string} title
 * @property {number} usedAt milliseconds since 1970
 * @property {KeptFile[]} files of all versions that are kept, or under way
 * @property {string[]} current SHA-256 of those files that stay
 * @property {number} turn of the latest load
 * @property {number} since turn of the load that made them current
 * @property {Record<string, unknown>} notes what was found out on this device, by key
 * @property {string | null} manifest text of the last version's that was whole; null before
 */

/** @param {string} base @returns {Promise<string>} */
export function nameOf(base) {
  return sha256(new TextEncoder().encode(base));
}

/** @param {unknown} record @returns {Kept | null} null where it is not one of ours */
export function checked(record) {
  const { base, title, usedAt, files, current, turn = 0, since = 0, notes, manifest } = /** @type {Partial<Kept>} */ (Object(record));
  const isOurs = typeof base === 'string' && typeof title === 'string' && Number.isFinite(usedAt) && Array.isArray(files)
    && files.every((file) => typeof file?.sha256 === 'string' && file.bytes > 0 && file.chunkBytes > 0);
  if (!isOurs) return null;
  const staying = Array.isArray(current) ? current : files.map((file) => file.sha256);
  return { base, title, usedAt: Number(usedAt), files, current: staying, turn, since, notes: Object(notes), manifest: textOf(manifest) };
}

/** @param {unknown} value @returns {string | null} */
function textOf(value) {
  return typeof value === 'string' ? value : null;
}

export class Records {
  /** @param {Store} store */
  constructor(store) {
    this.store = store;
  }

  /** Removes files that no record names, unless one cannot be read; a load names beforehand what it will bring. */
  async sweep() {
    await holdingRecords(async () => {
      const readings = await this.readings();
      if (!readings.every(({ sure }) => sure)) return;
      const named = new Set(readings.flatMap(({ record }) => checked(record)?.files.map((file) => file.sha256) ?? []));
      const stale = (await this.store.names()).filter((name) => !named.has(name));
      for (const name of stale) await this.store.remove(name).catch(() => undefined);
    });
  }

  /** @returns {Promise<import('./store.js').Reading[]>} */
  async readings() {
    return Promise.all((await this.store.recordNames()).map((name) => this.store.readRecord(name)));
  }

  /** @param {string} base @returns {Promise<Kept | null>} */
  async keptOf(base) {
    return checked((await this.store.readRecord(await nameOf(base))).record);
  }

  /** @template {Kept | null} T @param {string} base @param {(kept: Kept | null) => T} alter @returns {Promise<T>} */
  change(base, alter) {
    return holdingRecords(async () => {
      const next = alter(await this.keptOf(base));
      if (next) await this.store.writeRecord(await nameOf(base), next);
      return next;
    });
  }
}
