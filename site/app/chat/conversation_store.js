/** Conversations on this device, and nowhere else. Where the browser keeps nothing, they last as long as the page. */

import { inStore, result } from '../database.js';
import { revived } from './conversation.js';

/** @typedef {import('./conversation.js').Conversation} Conversation */

const PLACE = { database: 'thistledown-conversations', store: 'conversations', options: { keyPath: 'id' } };

/** @returns {Promise<Conversation[]>} the latest changed first */
export async function readConversations() {
  const found = await inStore(PLACE, async (store) => result(store.getAll()));
  return (found ?? []).flatMap((each) => revived(each) ?? []).sort((one, other) => other.changedAt - one.changedAt);
}

/** @param {Conversation} conversation @returns {Promise<boolean>} whether it is kept */
export async function keepConversation(conversation) {
  return (await inStore(PLACE, async (store) => result(store.put(conversation.toStore())))) !== null;
}

/** @param {string} id */
export async function forgetConversation(id) {
  await inStore(PLACE, async (store) => result(store.delete(id)));
}

/** Deletes all of them. */
export async function forgetConversations() {
  await inStore(PLACE, async (store) => result(store.clear()));
}
