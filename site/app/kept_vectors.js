/**
 * What a model has read stays on this device: the vectors of a collection, under the hashes of the model and of the texts. The
 * texts themselves are not kept. Where the browser keeps nothing, they are read anew at the next visit.
 */

import { opened, result } from './database.js';

/** @typedef {{ vectors: Float32Array, truncated: number }} Kept `vectors` of the first passages, one after the other */
/** @typedef {{ key: string, usedAt: number, bytes: number }} Use */

const DATABASE = 'thistledown-vectors';
const VECTORS = 'vectors';
const USES = 'uses';
/** The latest used stay. */
const MOST_BYTES = 64 * 2 ** 20;

/**
 * @param {string} model SHA-256 of its manifest
 * @param {string[]} texts
 * @returns {Promise<string>}
 */
export async function keyOf(model, texts) {
  const bytes = new TextEncoder().encode(JSON.stringify([model, ...texts]));
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** @param {string} key @returns {Promise<Kept | null>} */
export async function readVectors(key) {
  return attempt(async (database) => {
    const stores = database.transaction([VECTORS, USES], 'readwrite');
    const kept = await result(stores.objectStore(VECTORS).get(key));
    if (!(kept?.vectors instanceof Float32Array) || !Number.isSafeInteger(kept.truncated)) return null;
    stores.objectStore(USES).put({ key, usedAt: Date.now(), bytes: kept.vectors.byteLength });
    return /** @type {Kept} */ (kept);
  });
}

/** @param {string} key @param {Kept} kept */
export async function keepVectors(key, kept) {
  await attempt(async (database) => {
    const stores = database.transaction([VECTORS, USES], 'readwrite');
    const uses = stores.objectStore(USES);
    const own = { key, usedAt: Date.now(), bytes: kept.vectors.byteLength };
    const others = /** @type {Use[]} */ (await result(uses.getAll())).filter((use) => use.key !== key);
    for (const stale of beyond([own, ...others])) {
      stores.objectStore(VECTORS).delete(stale.key);
      uses.delete(stale.key);
    }
    stores.objectStore(VECTORS).put(kept, key);
    uses.put(own);
    return null;
  });
}

/** @returns {Promise<{ collections: number, bytes: number }>} what is kept by now, whatever the notes of its use say */
export async function countVectors() {
  const read = (/** @type {IDBDatabase} */ database) => result(database.transaction(VECTORS).objectStore(VECTORS).getAll());
  const all = (await attempt(read)) ?? [];
  return { collections: all.length, bytes: all.reduce((sum, kept) => sum + (kept?.vectors?.byteLength ?? 0), 0) };
}

/** Deletes all of them. */
export async function forgetVectors() {
  await result(indexedDB.deleteDatabase(DATABASE)).catch(() => undefined);
}

/** @param {Use[]} uses @returns {Use[]} those that no longer fit, the longest unused; from one whose size is damaged on, none does */
function beyond(uses) {
  const [newest, ...others] = uses.sort((one, other) => other.usedAt - one.usedAt);
  let bytes = newest?.bytes ?? 0;
  return others.filter((use) => !((bytes += use.bytes) <= MOST_BYTES));
}

/**
 * @template T
 * @param {(database: IDBDatabase) => Promise<T | null>} use
 * @returns {Promise<T | null>} null where the browser refuses
 */
async function attempt(use) {
  const database = await opened(DATABASE, makeStores).catch(() => null);
  if (database === null) return null;
  try {
    return await use(database);
  } catch {
    return null;
  } finally {
    database.close();
  }
}

/** @param {IDBDatabase} database */
function makeStores(database) {
  database.createObjectStore(VECTORS);
  database.createObjectStore(USES, { keyPath: 'key' });
}
