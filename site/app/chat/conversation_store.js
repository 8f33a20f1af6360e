/** Conversations on this device, and nowhere else. Where the browser keeps nothing, they last as long as the page. */

import { opened, result } from '../database.js';
import { revived } from './conversation.js';

/** @typedef {import('./conversation.js').Conversation} Conversation */

const DATABASE = 'thistledown-conversations';
const STORE = 'conversations';

/** @returns {Promise<Conversation[]>} the latest changed first */
export async function readConversations() {
  const found = await attempt(async (store) => result(store.getAll()));
  return (found ?? []).flatMap((each) => revived(each) ?? []).sort((one, other) => other.changedAt - one.changedAt);
}

/** @param {Conversation} conversation @returns {Promise<boolean>} whether it is kept */
export async function keepConversation(conversation) {
  return (await attempt(async (store) => result(store.put(conversation.toStore())))) !== null;
}

/** @param {string} id */
export async function forgetConversation(id) {
  await attempt(async (store) => result(store.delete(id)));
}

/** Deletes all of them. */
export async function forgetConversations() {
  await attempt(async (store) => result(store.clear()));
}

/**
 * @template T
 * @param {(store: IDBObjectStore) => Promise<T>} use
 * @returns {Promise<T | null>} null where the browser refuses
 */
async function attempt(use) {
  const database = await opened(DATABASE, (made) => made.createObjectStore(STORE, { keyPath: 'id' })).catch(() => null);
  try {
    return database && (await use(database.transaction(STORE, 'readwrite').objectStore(STORE)));
  } catch {
    return null;
  } finally {
    database?.close();
  }
}
