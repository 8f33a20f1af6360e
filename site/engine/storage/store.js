/**
 * Where chunks of files are kept between visits: the origin's private file system, else the Cache API, else nowhere.
 * Files are named by their SHA-256, so what two models or two versions share is kept once.
 */

import { CacheStore } from './cache_store.js';
import { OpfsStore } from './opfs_store.js';
import { refusalOf, StoreFullError } from './store_errors.js';

/** @typedef {import('../manifest.js').ChunkedFile} ChunkedFile */
/** @typedef {Uint8Array<ArrayBuffer>} Bytes */
/**
 * A record, or null; not sure where one is listed and could not be read.
 *
 * @typedef {{ record: any, sure: boolean }} Reading
 */
/**
 * What is read is unverified: the caller compares hashes. Reading never throws: what cannot be read is not there. Writing
 * throws where the browser refuses; a StoreFullError where there is no room.
 *
 * @typedef {object} Store
 * @property {'opfs' | 'cache' | 'none'} kind
 * @property {(file: ChunkedFile) => Promise<Uint8Array>} have a mark a chunk: see chunks.js
 * @property {(file: ChunkedFile, index: number, target: Bytes) => Promise<boolean>} read fills `target`, as long as the chunk
 * @property {(file: ChunkedFile, index: number, bytes: Bytes, from?: number, mark?: number) => Promise<void>} write a chunk,
 *   or of kind opfs its beginning, with the mark that says how much of it there is; what stands before `from` is there already
 * @property {(sha256: string) => Promise<void>} close what writing has opened
 * @property {() => Promise<string[]>} names SHA-256 of every file of which anything is kept
 * @property {(sha256: string) => Promise<void>} remove
 * @property {() => Promise<string[]>} recordNames
 * @property {(name: string) => Promise<Reading>} readRecord
 * @property {(name: string, record: unknown) => Promise<void>} writeRecord the new one whole, or the old one stays
 * @property {(name: string) => Promise<void>} removeRecord
 */

/** @returns {Store} nothing is found and nothing is kept */
export function noStore() {
  const nothing = async () => undefined;
  return {
    kind: 'none',
    have: async (file) => new Uint8Array(file.chunks.length),
    read: async () => false,
    write: nothing,
    close: nothing,
    names: async () => [],
    remove: nothing,
    recordNames: async () => [],
    readRecord: async () => ({ record: null, sure: true }),
    writeRecord: nothing,
    removeRecord: nothing,
  };
}

/** @returns {Promise<Store>} the best that this browser has and lets us use */
export async function openStore() {
  return (await attempt(openOpfs)) ?? (await attempt(async () => CacheStore.open(caches))) ?? noStore();
}

/** Where there is no room to open the file system, there is none for a second store, which later visits would not know. @returns {Store} */
function fullStore() {
  const refuse = async () => {
    throw new StoreFullError('there is no room to open the private file system');
  };
  return { ...noStore(), kind: 'opfs', write: refuse, writeRecord: refuse };
}

/** @returns {Promise<Store | null>} null where a worker could not write */
async function openOpfs() {
  const isWorker = 'WorkerGlobalScope' in globalThis;
  if (isWorker && !('createSyncAccessHandle' in FileSystemFileHandle.prototype)) return null;
  try {
    return await OpfsStore.open(await navigator.storage.getDirectory());
  } catch (cause) {
    if (refusalOf(cause) === 'full') return fullStore();
    throw cause;
  }
}

/** @template T @param {() => Promise<T>} open @returns {Promise<T | null>} */
async function attempt(open) {
  try {
    return await open();
  } catch {
    return null;
  }
}
