/** One load: its files out of the store or over the network, and what is told of it. */

import { bytesOf } from '../manifest.js';
import { Progress } from '../progress.js';
import { openStore } from '../storage/store.js';
import { recordedLoad } from './recorded_load.js';
import { makeSupply } from './supply.js';

/** @typedef {import('./supply.js').Supply} Supply */
/**
 * @typedef {object} Loaded
 * @property {number} networkBytes
 * @property {number} loadMs
 * @property {'full' | 'refused' | null} notKept
 * @property {number} canaryMs that the known answer took; 0 where none was asked for
 */
/**
 * @typedef {object} Visit
 * @property {string} base the folder's address
 * @property {import('../manifest.js').Manifest} manifest
 * @property {string} text of the manifest, to be kept with the files
 * @property {import('../manifest.js').ChunkedFile[]} files
 * @property {number} [bytes] that `load` brings besides
 */
/**
 * @typedef {object} Opening
 * @property {(event: import('../progress.js').ProgressEvent) => void} report
 * @property {AbortSignal} signal
 * @property {import('./gate.js').Gate} [gate]
 */

/** @returns {Loaded} before anything was */
export function nothingLoaded() {
  return { networkBytes: 0, loadMs: 0, notKept: null, canaryMs: 0 };
}

/**
 * @template {{ loaded: Loaded }} S
 * @param {Visit} visit
 * @param {Opening} opening
 * @param {(begin: () => Supply) => Promise<S>} load of all files; what it tries again it begins again
 * @returns {Promise<S>}
 */
export async function keptLoad({ base, manifest: { title }, text, files, bytes = 0 }, { report, signal, gate }, load) {
  const began = performance.now();
  const store = await openStore();
  let progress = new Progress(report, bytesOf(files) + bytes);
  const supply = makeSupply(base, store, progress, signal, gate);
  const session = await recordedLoad({ title, files, text }, supply, () => load(() => {
    progress = progress.again();
    progress.enter('download');
    return { ...supply, progress };
  }));
  progress.enter('ready');
  const { networkBytes } = progress;
  Object.assign(session.loaded, { networkBytes, loadMs: performance.now() - began, notKept: supply.keeping.refusal });
  return session;
}
