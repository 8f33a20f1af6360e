/** Where a model's manifest comes from: the network; without one, what the last whole load has kept. */

import { readWithin } from './byte_stream.js';
import { ManifestChangedError, NetworkFailedError } from './errors.js';
import { sha256 } from './hashing.js';
import { parseJson, request } from './http.js';
import { readManifest } from './manifest.js';
import { Library } from './storage/library.js';
import { openStore } from './storage/store.js';

/** @typedef {import('./manifest.js').Manifest} Manifest */
/** @typedef {Uint8Array<ArrayBuffer>} Bytes */
/** @typedef {{ manifest: Manifest, text: string }} Found `text` as it came */

const MAX_MANIFEST_BYTES = 16 * 2 ** 20;

/**
 * @param {string} base the folder's address
 * @param {{ signal?: AbortSignal, sha256?: string }} options `sha256`: of the manifest, as somebody trusted states it
 * @returns {Promise<Found>}
 */
export async function findManifest(base, { signal = new AbortController().signal, sha256: wanted }) {
  const url = `${base}manifest.json`;
  const bytes = await fetchBytes(url, signal, wanted).catch((cause) => keptBytes(base, cause));
  return { manifest: readManifest(parseJson(bytes, url), url), text: new TextDecoder().decode(bytes) };
}

/** @param {string} url @param {AbortSignal} signal @param {string | undefined} wanted @returns {Promise<Bytes>} */
async function fetchBytes(url, signal, wanted) {
  const response = await request(url, { signal, cache: 'no-cache' });
  const bytes = await readWithin(response, url, { most: MAX_MANIFEST_BYTES, signal });
  if (wanted === undefined || (await sha256(bytes)) === wanted) return bytes;
  throw new ManifestChangedError(`${url} does not have the SHA-256 that was asked for`, { url });
}

/** @param {string} base @param {unknown} cause why the network gave none @returns {Promise<Bytes>} */
async function keptBytes(base, cause) {
  const text = cause instanceof NetworkFailedError ? await new Library(await openStore()).manifestOf(base) : null;
  if (text === null) throw cause;
  return new TextEncoder().encode(text);
}
