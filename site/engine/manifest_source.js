/** Where a model's manifest comes from: the network; without one, what the last whole load has kept. */

import { readWithin } from './byte_stream.js';
import { NetworkFailedError, NotAnArtifactError } from './errors.js';
import { parseJson, request, STALL_MS } from './http.js';
import { readManifest } from './manifest.js';
import { Library } from './storage/library.js';
import { openStore } from './storage/store.js';

/** @typedef {import('./manifest.js').Manifest} Manifest */
/** @typedef {{ manifest: Manifest, json: unknown }} Found `json` as it came */

const MAX_MANIFEST_BYTES = 16 * 2 ** 20;
/** How long a silent server is waited for where there is a kept manifest to go on with. */
const KEPT_STALL_MS = 4000;
/** Nothing that says what the server's manifest is: no connection, or the page of a captive portal. */
const UNREACHED = [NetworkFailedError, NotAnArtifactError];

/**
 * @param {string} base the folder's address
 * @param {AbortSignal} signal
 * @returns {Promise<Found>}
 */
export async function findManifest(base, signal) {
  const url = `${base}manifest.json`;
  const kept = await keptJson(base).catch(() => null);
  const json = await fetchJson(url, signal, kept === null ? STALL_MS : KEPT_STALL_MS).catch((cause) => {
    if (kept === null || !UNREACHED.some((type) => cause instanceof type)) throw cause;
    return kept;
  });
  return { manifest: readManifest(json, url), json };
}

/** @param {string} url @param {AbortSignal} signal @param {number} stallMs @returns {Promise<unknown>} */
async function fetchJson(url, signal, stallMs) {
  const response = await request(url, { signal, cache: 'no-cache' }, stallMs);
  return parseJson(await readWithin(response, url, { most: MAX_MANIFEST_BYTES, signal, stallMs }), url);
}

/** @param {string} base @returns {Promise<unknown>} null where no load was whole yet */
async function keptJson(base) {
  return new Library(await openStore()).manifestOf(base);
}
