/** The visitor's labels on this device, and nowhere else. Where the browser keeps nothing, they last as long as the page. */

import { inStore, result } from '../database.js';
import { revived } from './label_set.js';

/** @typedef {import('./label_set.js').LabelSet} LabelSet */

export const PLACE = { database: 'thistledown-labels', store: 'sets' };
const KEY = 'latest';

/** @returns {Promise<LabelSet | null>} */
export async function readLabels() {
  return revived(await inStore(PLACE, async (store) => result(store.get(KEY))));
}

/** @param {LabelSet} set */
export async function keepLabels(set) {
  await inStore(PLACE, async (store) => result(store.put(set, KEY)));
}

/** @returns {Promise<number>} sets that are kept under names */
export async function countSets() {
  const keys = (await inStore(PLACE, async (store) => result(store.getAllKeys()))) ?? [];
  return keys.filter((key) => key !== KEY).length;
}

/** Deletes what was written last, and no set with a name. */
export async function forgetLatest() {
  await inStore(PLACE, async (store) => result(store.delete(KEY)));
}

/** Deletes all, sets with names, too. */
export async function forgetLabels() {
  await inStore(PLACE, async (store) => result(store.clear()));
}
