/** Where a model's manifest comes from: the network; without one, what the last whole load has kept. */

import { readWithin } from './byte_stream.js';
import { NetworkFailedError } from './errors.js';
import { parseJson, request } from './http.js';
import { readManifest } from './manifest.js';
import { Library } from './storage/library.js';
import { openStore } from './storage/store.js';

/** @typedef {import('./manifest.js').Manifest} Manifest */
/** @typedef {{ manifest: Manifest, json: unknown }} Found `json` as it came */

const MAX_MANIFEST_BYTES = 16 * 2 ** 20;

/**
 * @param {string} base the folder's address
 * @param {AbortSignal} signal
 * @returns {Promise<Found>}
 */
export async function findManifest(base, signal) {
  const { json, url } = await findJson(base, 'manifest.json', signal);
  return { manifest: readManifest(json, url), json };
}

/**
 * @param {string} base
 * @param {string} name of the file that says what is in the folder
 * @param {AbortSignal} signal
 * @returns {Promise<{ json: unknown, url: string }>}
 */
export async function findJson(base, name, signal) {
  const url = base + name;
  return { json: await fetchJson(url, signal).catch((cause) => keptJson(base, cause)), url };
}

/** @param {string} url @param {AbortSignal} signal @returns {Promise<unknown>} */
async function fetchJson(url, signal) {
  const response = await request(url, { signal, cache: 'no-cache' });
  return parseJson(await readWithin(response, url, { most: MAX_MANIFEST_BYTES, signal }), url);
}

/** @param {string} base @param {unknown} cause why the network gave none @returns {Promise<unknown>} */
async function keptJson(base, cause) {
  const json = cause instanceof NetworkFailedError ? await new Library(await openStore()).manifestOf(base) : null;
  if (json === null) throw cause;
  return json;
}
