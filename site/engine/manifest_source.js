/** Where a model's manifest comes from: the network; without one, what the last whole load has kept. */

import { readWithin } from './byte_stream.js';
import { AccessDeniedError, ManifestChangedError, NetworkFailedError, NotAnArtifactError } from './errors.js';
import { sha256 } from './hashing.js';
import { parseJson, request, STALL_MS } from './http.js';
import { readManifest } from './manifest.js';
import { Records } from './storage/records.js';
import { openStore } from './storage/store.js';

/** @typedef {import('./manifest.js').Manifest} Manifest */
/** @typedef {Uint8Array<ArrayBuffer>} Bytes */
/** @typedef {{ manifest: Manifest, text: string }} Found `text` as it came */

const MAX_MANIFEST_BYTES = 16 * 2 ** 20;
/** How long a silent server is waited for where there is a kept manifest to go on with. */
const KEPT_STALL_MS = 4000;
/** Nothing that says what the server's manifest is: no connection, the page of a captive portal, or who is not let in. */
const UNREACHED = [NetworkFailedError, NotAnArtifactError, AccessDeniedError];

/**
 * @param {string} base the folder's address
 * @param {{ signal?: AbortSignal, sha256?: string }} options `sha256`: of the manifest, as somebody trusted states it
 * @returns {Promise<Found>}
 */
export async function findManifest(base, options) {
  const { bytes, url } = await findDescription(base, 'manifest.json', options);
  return { manifest: readManifest(parseJson(bytes, url), url), text: new TextDecoder().decode(bytes) };
}

/**
 * @param {string} base the folder's address
 * @param {string} name of the file that says what is in the folder
 * @param {{ signal?: AbortSignal, sha256?: string }} options `sha256`: of the file
 * @returns {Promise<{ bytes: Bytes, url: string }>} of a JSON file
 */
export async function findDescription(base, name, { signal = new AbortController().signal, sha256: wanted }) {
  const url = base + name;
  const bytes = await fetchOrKept(base, url, { signal, store: await openStore(), check: async (found) => {
    if (wanted === undefined || (await sha256(found)) === wanted) return;
    throw new ManifestChangedError(`${url} does not have the SHA-256 that was asked for`, { url });
  } });
  return { bytes, url };
}

/**
 * @param {string} base the folder's address
 * @param {string} url of the JSON file in it that was kept with its last whole load
 * @param {object} options
 * @param {AbortSignal} options.signal
 * @param {import('./storage/store.js').Store} options.store
 * @param {(bytes: Bytes) => Promise<void>} [options.check] throws for what the network must not give
 * @returns {Promise<Bytes>}
 */
export async function fetchOrKept(base, url, { signal, store, check }) {
  const kept = (await new Records(store).keptOf(base).catch(() => null))?.manifest ?? null;
  const stallMs = kept === null ? STALL_MS : KEPT_STALL_MS;
  try {
    const response = await request(url, { signal, cache: 'no-cache' }, stallMs);
    const bytes = await readWithin(response, url, { most: MAX_MANIFEST_BYTES, signal, stallMs });
    await check?.(bytes);
    parseJson(bytes, url);
    return bytes;
  } catch (cause) {
    if (kept === null || !UNREACHED.some((type) => cause instanceof type)) throw cause;
    return new TextEncoder().encode(kept);
  }
}
