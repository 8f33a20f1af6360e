/** Memory filled from a stream, whose length must be the memory's. */

import { openReader } from '../byte_stream.js';

/**
 * @param {ReadableStream<Uint8Array<ArrayBuffer>>} body
 * @param {Uint8Array} target
 * @returns {Promise<boolean>} false where the stream is longer or shorter
 */
export async function fillFrom(body, target) {
  const reader = openReader(body);
  let filled = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return filled === target.length;
    if (!value || filled + value.length > target.length) break;
    target.set(value, filled);
    filled += value.length;
  }
  await reader.cancel();
  return false;
}
