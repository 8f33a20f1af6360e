/** Reads coded chunks where a model has any; the reader is fetched only then. */

/** @typedef {(chunk: Uint8Array<ArrayBuffer>, shardBytes: number) => import('./chunk.js').Stretch} Decoder */

/**
 * @param {import('../manifest.js').Manifest} manifest
 * @param {number} [first] shard that is fetched
 * @returns {Promise<Decoder | null>} what it returns is good until its next call; null where nothing is coded
 */
export async function openDecoder({ coded }, first = 0) {
  if (!coded.slice(first).some(Boolean)) return null;
  const { readChunk, STRETCH_BYTES } = await import('./chunk.js');
  const memory = new Uint8Array(STRETCH_BYTES);
  return (chunk, shardBytes) => readChunk(chunk, shardBytes, memory);
}
