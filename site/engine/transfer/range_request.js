/** A stretch of a file over HTTP, as a stream that begins at its first byte. */

import { ByteStream } from '../byte_stream.js';
import { FileTooLongError, FileTruncatedError, NetworkFailedError } from '../errors.js';
import { request } from '../http.js';

/** @typedef {import('./supply.js').Supply} Supply */
/** @typedef {{ url: string, bytes: number }} Remote the file's address, and its length by the manifest */

/** The server sent the whole file instead of a stretch that begins later. */
export class RangesIgnored extends Error {}

/**
 * @param {Remote} remote
 * @param {{ start: number, end: number }} stretch bytes; `end` is the first that is not wanted
 * @param {Supply} supply
 * @param {boolean} again after a failure: what a cache holds is not to be trusted
 * @returns {Promise<{ stream: ByteStream, lasting: boolean }>} `lasting` where another request may go on where this one ends
 * @throws {RangesIgnored}
 */
export async function openStretch({ url, bytes }, { start, end }, supply, again) {
  const { signal, store, stallMs } = supply;
  const isWhole = start === 0 && end === bytes;
  // Chunks are kept in our own store, so the browser's cache need not keep them too.
  const mode = again ? 'reload' : store.kind === 'none' ? 'default' : 'no-store';
  const headers = isWhole ? undefined : { range: `bytes=${start}-${end - 1}` };
  const response = await request(url, { signal, headers, cache: mode }, stallMs);
  if (!response.body) throw new FileTruncatedError(`${url} answered without a body`, { url });
  const stream = new ByteStream(response.body, url, supply);
  try {
    if (response.status === 206) checkRange(response, { url, bytes }, start);
    else if (start > 0) throw new RangesIgnored();
    // Another page, or the file compressed, has another length.
    return { stream, lasting: response.status === 206 || (isWhole && response.headers.get('content-length') === `${bytes}`) };
  } catch (cause) {
    stream.close();
    throw cause;
  }
}

/** @param {Response} response @param {Remote} remote @param {number} start */
function checkRange(response, { url, bytes }, start) {
  // Another origin may hide the header; then the hash of the chunk decides.
  const range = /^bytes (\d+)-\d+\/(\d+|\*)/.exec(response.headers.get('content-range') ?? '');
  if (!range) return;
  const total = range[2] === '*' ? bytes : Number(range[2]);
  if (total > bytes) throw new FileTooLongError(`${url} is longer than the ${bytes} bytes of the manifest`, { url });
  if (total < bytes) throw new FileTruncatedError(`${url} is shorter than the ${bytes} bytes of the manifest`, { url });
  if (Number(range[1]) !== start) throw new NetworkFailedError(`${url} answered another range than was asked for`, { url });
}
