/** The visitor's labels on this device, and nowhere else. Where the browser keeps nothing, they last as long as the page. */

import { inStore, result } from '../database.js';
import { revived } from './label_set.js';

/** @typedef {import('./label_set.js').LabelSet} LabelSet */

const PLACE = { database: 'thistledown-labels', store: 'sets' };
const KEY = 'latest';

/** @returns {Promise<LabelSet | null>} */
export async function readLabels() {
  return revived(await inStore(PLACE, async (store) => result(store.get(KEY))));
}

/** @param {LabelSet} set */
export async function keepLabels(set) {
  await inStore(PLACE, async (store) => result(store.put(set, KEY)));
}

/** Deletes them. */
export async function forgetLabels() {
  await inStore(PLACE, async (store) => result(store.clear()));
}
