/** Sets of labels on this device under the visitor's names for them, beside the labels that were written last. */

import { inStore, result } from '../database.js';
import { revived } from './label_set.js';
import { PLACE } from './label_store.js';

/** @typedef {import('./label_set.js').LabelSet} LabelSet */

/** Before the name in a key: no name is that of what was written last. */
const NAMED = 'named';

/** @returns {Promise<Map<string, LabelSet>>} by name, in the order of the names */
export async function readSets() {
  const found = await inStore(PLACE, async (store) => Promise.all([result(store.getAllKeys()), result(store.getAll())]));
  const [keys, values] = found ?? [[], []];
  return new Map(keys.flatMap((key, i) => {
    const set = revived(values[i]);
    const [kind, name] = [key].flat();
    return kind === NAMED && typeof name === 'string' && set ? [[name, set]] : [];
  }));
}

/** @param {string} name @param {LabelSet} set @returns {Promise<boolean>} whether it is kept */
export async function keepSet(name, set) {
  return (await inStore(PLACE, async (store) => result(store.put(set, [NAMED, name])))) !== null;
}

/** @param {string} name */
export async function forgetSet(name) {
  await inStore(PLACE, async (store) => result(store.delete([NAMED, name])));
}
