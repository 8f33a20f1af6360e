/** One load: its files out of the store or over the network, and a record of what is kept of them. */

import { bytesOf } from '../manifest.js';
import { Progress } from '../progress.js';
import { Library } from '../storage/library.js';
import { openStore } from '../storage/store.js';
import { makeSupply } from './supply.js';

/** @typedef {{ loaded: { networkBytes: number, loadMs: number, notKept: 'full' | 'refused' | null } }} Loaded */
/**
 * @typedef {object} Visit
 * @property {string} base the folder's address
 * @property {import('../manifest.js').Manifest} manifest
 * @property {unknown} json the manifest as it came, to be kept with the files
 * @property {import('../manifest.js').ChunkedFile[]} files
 * @property {number} [bytes] that `open` brings besides
 */

/**
 * @template {object} S
 * @param {Visit} visit
 * @param {(event: import('../progress.js').ProgressEvent) => void} report
 * @param {AbortSignal} signal
 * @param {import('./gate.js').Gate} gate
 * @param {(supply: import('./supply.js').Supply) => Promise<S>} open
 * @returns {Promise<S & Loaded>}
 */
export async function keptLoad({ base, manifest, json, files, bytes = 0 }, report, signal, gate, open) {
  const began = performance.now();
  const store = await openStore();
  const library = new Library(store);
  const progress = new Progress(report, bytesOf(files) + bytes);
  const failing = new AbortController();
  const supply = makeSupply(base, store, progress, AbortSignal.any([signal, failing.signal]), gate);
  progress.enter('download');
  try {
    await supply.keeping.attempt(() => library.begin(base, manifest.title, files));
    const session = await open(supply);
    await library.finish(base, files, json).catch(() => undefined);
    progress.enter('ready');
    const { refusal: notKept } = supply.keeping;
    return { ...session, loaded: { networkBytes: progress.fetched, loadMs: performance.now() - began, notKept } };
  } catch (cause) {
    failing.abort();
    throw cause;
  }
}
