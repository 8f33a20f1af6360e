/** SHA-256, as everything here is named and checked by. */

import { NoWebGpuError } from './errors.js';

const HASH_LENGTH = 64;

/** @param {Uint8Array<ArrayBuffer>} bytes @returns {Promise<string>} lower-case hex */
export async function sha256(bytes) {
  if (!crypto.subtle) throw new NoWebGpuError('The page is opened neither over https nor on localhost');
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** @param {unknown} value @returns {Promise<Uint8Array<ArrayBuffer>>} JSON that shows when it was torn or spoilt */
export async function seal(value) {
  const text = new TextEncoder().encode(JSON.stringify(value));
  return new Uint8Array(await new Blob([await sha256(text), text]).arrayBuffer());
}

/** @param {Uint8Array<ArrayBuffer>} bytes @returns {Promise<any>} undefined where they are not what was sealed */
export async function unseal(bytes) {
  const text = bytes.subarray(HASH_LENGTH);
  const hash = new TextDecoder().decode(bytes.subarray(0, HASH_LENGTH));
  return (await sha256(text)) === hash ? JSON.parse(new TextDecoder().decode(text)) : undefined;
}
