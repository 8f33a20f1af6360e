/** A result as a link: it lies in the address behind the #, which browsers send to no one. */

import { text } from '../app/texts.js';
import { readResult } from './result.js';

/** @typedef {import('./result.js').Result} Result */

const KEY = '#r=';
const MOST_LETTERS = 65_536;
const MOST_BYTES = 1 << 20;

/** @param {ReadableStream<any>} stream @returns {Promise<Uint8Array<ArrayBuffer>>} */
async function readAll(stream) {
  const parts = [];
  let size = 0;
  for await (const part of /** @type {AsyncIterable<Uint8Array<ArrayBuffer>>} */ (/** @type {unknown} */ (stream))) {
    size += part.length;
    if (size > MOST_BYTES) throw new TypeError(text('bench.linkTooMuch'));
    parts.push(part);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

/**
 * @param {Result} result
 * @returns {Promise<string>} the part of a link behind the page's address
 * @throws {TypeError} for a result of which no link could be opened
 */
export async function toFragment(result) {
  const plain = new Blob([JSON.stringify(result)]);
  if (plain.size > MOST_BYTES) throw new TypeError(text('bench.noLink'));
  const packed = await readAll(plain.stream().pipeThrough(new CompressionStream('deflate-raw')));
  const letters = Array.from(packed, (byte) => String.fromCharCode(byte)).join('');
  const fragment = KEY + btoa(letters).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
  if (fragment.length > MOST_LETTERS) throw new TypeError(text('bench.noLink'));
  return fragment;
}

/** @param {string} fragment @returns {Promise<Result | null>} null where the link holds none; a broken one throws TypeError */
export async function fromFragment(fragment) {
  if (!fragment.startsWith(KEY)) return null;
  if (fragment.length > MOST_LETTERS) throw new TypeError(text('bench.linkTooLong'));
  try {
    const letters = atob(fragment.slice(KEY.length).replaceAll('-', '+').replaceAll('_', '/'));
    const bytes = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
    const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
    return readResult(JSON.parse(new TextDecoder().decode(await readAll(plain))));
  } catch {
    throw new TypeError(text('bench.linkDamaged'));
  }
}
