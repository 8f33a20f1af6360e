/** The visitor's labels on this device, and nowhere else. Where the browser keeps nothing, they last as long as the page. */

import { opened, result } from '../database.js';
import { revived } from './label_set.js';

/** @typedef {import('./label_set.js').LabelSet} LabelSet */

const DATABASE = 'thistledown-labels';
const STORE = 'sets';
const KEY = 'latest';

/** @returns {Promise<LabelSet | null>} */
export async function readLabels() {
  return revived(await attempt(async (store) => result(store.get(KEY))));
}

/** @param {LabelSet} set */
export async function keepLabels(set) {
  await attempt(async (store) => result(store.put(set, KEY)));
}

/** Deletes them. */
export async function forgetLabels() {
  await attempt(async (store) => result(store.clear()));
}

/**
 * @template T
 * @param {(store: IDBObjectStore) => Promise<T>} use
 * @returns {Promise<T | null>} null where the browser refuses
 */
async function attempt(use) {
  const database = await opened(DATABASE, (made) => made.createObjectStore(STORE)).catch(() => null);
  try {
    return database && (await use(database.transaction(STORE, 'readwrite').objectStore(STORE)));
  } catch {
    return null;
  } finally {
    database?.close();
  }
}
