/** A load on record: what it is to keep before it begins, what it has kept when it is whole. */

import { Library } from '../storage/library.js';
import { holdingModel } from '../storage/locks.js';

/**
 * @typedef {object} Version
 * @property {string} title
 * @property {import('../manifest.js').ChunkedFile[]} files
 * @property {unknown} json the manifest as it came
 */

/**
 * @template T
 * @param {Version} version
 * @param {import('./supply.js').Supply} supply
 * @param {() => Promise<T>} load brings all of the files
 * @returns {Promise<T>}
 */
export async function recordedLoad({ title, files, json }, { base, store, keeping, signal }, load) {
  const library = new Library(store);
  let turn = Infinity;
  const loaded = await holdingModel(base, signal, async () => {
    await keeping.attempt(async () => {
      turn = await library.begin(base, title, files);
    });
    const result = await load();
    if (keeping.refusal !== 'refused') await library.finish(base, files, keeping.refusal ? null : json, turn).catch(() => undefined);
    return result;
  });
  if (keeping.refusal !== 'refused') await library.tidy(base).catch(() => undefined);
  return loaded;
}
