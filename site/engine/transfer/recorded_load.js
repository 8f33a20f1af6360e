/** A load on record, before it begins and when it is whole. */

import { LoadRecords } from '../storage/load_records.js';
import { holdingModel } from '../storage/locks.js';

/**
 * @typedef {object} Version
 * @property {string} title
 * @property {import('../manifest.js').ChunkedFile[]} files
 * @property {string} text of the manifest, to be kept with the files
 */

/**
 * @template T
 * @param {Version} version
 * @param {import('./supply.js').Supply} supply
 * @param {() => Promise<T>} load brings all of the files
 * @returns {Promise<T>}
 */
export async function recordedLoad({ title, files, text }, { base, store, keeping, signal }, load) {
  const records = new LoadRecords(store);
  let turn = Infinity;
  let isSettled = false;
  const settle = async (/** @type {string | null} */ manifest) => {
    await records.finish(base, files, manifest, turn);
    isSettled = true;
  };
  const loaded = await holdingModel(base, signal, async () => {
    await keeping.attempt(async () => {
      turn = await records.begin(base, title, files);
    });
    const result = await load();
    await keeping.attempt(() => settle(text));
    if (keeping.refusal === 'full') await settle(null).catch(() => undefined);
    return result;
  });
  if (isSettled) await records.tidy(base).catch(() => undefined);
  return loaded;
}
