/**
 * Which models are kept, and what of each: a record a model, from the first byte of its download on. A file stays as long as
 * a record names it; so an update keeps the old version's files until the new one is whole and no tab is loading.
 */

import { sha256 } from '../hashing.js';
import { keptBytes } from './chunks.js';
import { holdingRecords, ifNobodyLoads } from './locks.js';

/** @typedef {import('./store.js').Store} Store */
/** @typedef {import('../manifest.js').ChunkedFile} ChunkedFile */
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
/** @typedef {{ url: string, title: string, usedAt: Date, bytes: number, keptBytes: number }} KeptModel `bytes` of all its files */

/** @param {string} base @returns {Promise<string>} */
function nameOf(base) {
  return sha256(new TextEncoder().encode(base));
}

/** @param {unknown} record @returns {Kept | null} null where it is not one of ours */
function checked(record) {
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

/** @param {ChunkedFile[]} files @returns {KeptFile[]} */
function briefly(files) {
  return files.map(({ sha256: name, bytes, chunkBytes }) => ({ sha256: name, bytes, chunkBytes }));
}

/** @param {KeptFile} file @returns {ChunkedFile} one whose chunks' hashes nobody needs */
function atLength(file) {
  return { ...file, file: file.sha256, chunks: new Array(Math.ceil(file.bytes / file.chunkBytes)).fill('') };
}

/** @param {KeptFile[]} files @returns {KeptFile[]} each once */
function once(files) {
  return [...new Map(files.map((file) => [file.sha256, file])).values()];
}

export class Library {
  /** @param {Store} store */
  constructor(store) {
    this.store = store;
  }

  /**
   * Before a download: what it is about to keep belongs to this model, beside what is kept of it already.
   *
   * @param {string} base
   * @param {string} title
   * @param {ChunkedFile[]} files
   * @returns {Promise<number>} the load's turn
   */
  async begin(base, title, files) {
    const { turn } = await this.change(base, (kept) => ({
      base,
      title,
      usedAt: Date.now(),
      files: once([...briefly(files), ...(kept?.files ?? [])]),
      current: kept?.current ?? files.map((file) => file.sha256),
      turn: (kept?.turn ?? 0) + 1,
      since: kept?.since ?? 0,
      notes: kept?.notes ?? {},
      manifest: kept?.manifest ?? null,
    }));
    return turn;
  }

  /**
   * After a download: its files are those that stay, unless a later load has had its say.
   *
   * @param {string} base
   * @param {ChunkedFile[]} files
   * @param {string | null} manifest the text that names them; null where there was no room, which an older version then makes
   * @param {number} turn
   */
  async finish(base, files, manifest, turn) {
    const current = files.map((file) => file.sha256);
    const isNews = (/** @type {Kept} */ kept) => manifest || kept.files.some((file) => !current.includes(file.sha256));
    await this.change(base, (kept) => kept && kept.since <= turn && isNews(kept)
      ? { ...kept, files: once([...briefly(files), ...kept.files]), current, since: manifest ? turn : kept.since, manifest }
      : null);
  }

  /** @param {string} base what older versions left behind goes, unless a tab is loading the model */
  async tidy(base) {
    await ifNobodyLoads(base, async () => {
      await this.change(base, (kept) => kept && {
        ...kept,
        files: kept.files.filter((file) => kept.current.includes(file.sha256)),
        notes: Object.fromEntries(Object.entries(kept.notes).filter(([key]) => kept.current.some((name) => key.startsWith(name)))),
      });
      await this.sweep();
    });
  }

  /** @param {string} base @returns {Promise<string | null>} the text of the last version's that was whole; null where there is none */
  async manifestOf(base) {
    return (await this.keptOf(base))?.manifest ?? null;
  }

  /**
   * @param {string} base
   * @param {string} key begins with the SHA-256 of the file that it is about
   * @returns {Promise<unknown>} null where nothing was noted
   */
  async readNote(base, key) {
    return (await this.keptOf(base))?.notes[key] ?? null;
  }

  /** @param {string} base @param {string} key @param {unknown} note */
  async writeNote(base, key, note) {
    await this.change(base, (kept) => kept && { ...kept, notes: { ...kept.notes, [key]: note } });
  }

  /** @returns {Promise<KeptModel[]>} the latest used first */
  async list() {
    const kept = (await this.readings()).flatMap(({ record }) => checked(record) ?? []);
    const models = await Promise.all(kept.map(async ({ base, title, usedAt, files }) => ({
      url: base,
      title,
      usedAt: new Date(usedAt),
      bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
      keptBytes: await this.bytesKept(files.map(atLength)),
    })));
    return models.sort((one, other) => Number(other.usedAt) - Number(one.usedAt));
  }

  /** @param {ChunkedFile[]} files @returns {Promise<number>} bytes of them that are kept */
  async bytesKept(files) {
    const sums = await Promise.all(files.map(async (file) => keptBytes(file, await this.store.have(file))));
    return sums.reduce((sum, bytes) => sum + bytes, 0);
  }

  /** @param {string} base what is kept of it goes, unless another model needs it */
  async forget(base) {
    const name = await nameOf(base);
    await holdingRecords(() => this.store.removeRecord(name));
    await this.sweep();
  }

  /** Removes files that no record names, unless a record cannot be read; begin() names what a download will bring. */
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
