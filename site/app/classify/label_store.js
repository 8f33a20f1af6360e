/** The visitor's labels on this device, and nowhere else. Where the browser keeps nothing, they last as long as the page. */

import { inStore, result } from '../database.js';
import { revived } from './label_set.js';

/** @typedef {import('./label_set.js').LabelSet} LabelSet */

const PLACE = { database: 'thistledown-labels', store: 'sets' };
const KEY = 'latest';
/** Before the name in the key of a set that has one. */
const NAMED = 'named';

/** @typedef {{ name: string, set: LabelSet }} NamedSet */

/** @returns {Promise<LabelSet | null>} */
export async function readLabels() {
  return revived(await inStore(PLACE, async (store) => result(store.get(KEY))));
}

/** @param {LabelSet} set */
export async function keepLabels(set) {
  await inStore(PLACE, async (store) => result(store.put(set, KEY)));
}

/** Deletes what was written last, and no set with a name. */
export async function forgetLatest() {
  await inStore(PLACE, async (store) => result(store.delete(KEY)));
}

/** @returns {Promise<NamedSet[]>} */
export async function readSets() {
  const found = await inStore(PLACE, async (store) => Promise.all([result(store.getAllKeys()), result(store.getAll())]));
  const [keys, values] = found ?? [[], []];
  return keys.flatMap((key, i) => {
    const set = revived(values[i]);
    return isNamed(key) && set ? [{ name: key[1], set }] : [];
  });
}

/** @param {string} name @param {LabelSet} set @returns {Promise<boolean>} whether it is kept */
export async function keepSet(name, set) {
  return (await inStore(PLACE, async (store) => result(store.put(set, [NAMED, name])))) !== null;
}

/** @param {string} name */
export async function forgetSet(name) {
  await inStore(PLACE, async (store) => result(store.delete([NAMED, name])));
}

/** @param {IDBValidKey} key @returns {key is [string, string]} */
function isNamed(key) {
  return Array.isArray(key) && key.length === 2 && key[0] === NAMED && typeof key[1] === 'string';
}

/** Deletes all of them. */
export async function forgetLabels() {
  await inStore(PLACE, async (store) => result(store.clear()));
}
