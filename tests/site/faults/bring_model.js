/** Brings a model's files as a session does, without the GPU. */

import { bring } from '/engine/transfer/bring.js';
import { BufferPool } from '/engine/transfer/buffer_pool.js';
import { recordedLoad } from '/engine/transfer/recorded_load.js';

const CONNECTIONS = 4;

/**
 * @param {{ files: import('/engine/manifest.js').ChunkedFile[], manifest: unknown }} model
 * @param {import('/engine/transfer/supply.js').Supply} supply
 * @param {(file: import('/engine/manifest.js').ChunkedFile, chunk: Uint8Array, offset: number) => void} sink
 */
export async function bringModel({ files, manifest }, supply, sink) {
  const pool = new BufferPool(CONNECTIONS, Math.max(...files.map((file) => file.chunkBytes)));
  await recordedLoad({ title: 'Tiny', files, text: JSON.stringify(manifest) }, supply, () =>
    Promise.all(files.map((file) => bring(file, supply, pool, (chunk, offset) => sink(file, chunk, offset)))));
}
