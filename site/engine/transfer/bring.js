/** Brings whole files, chunk by chunk, out of the store or over the network; of many tabs one fetches, the others wait. */

import { throwIfAborted } from '../errors.js';
import { holdingFile } from '../storage/locks.js';
import { poolOf } from './buffer_pool.js';
import { FileTransfer } from './file_transfer.js';
import { lookingOn } from './onlooking.js';

/** @typedef {import('../manifest.js').ChunkedFile} ChunkedFile */
/** @typedef {import('./supply.js').Supply} Supply */

/**
 * @param {ChunkedFile} file
 * @param {Supply} supply
 * @param {import('./buffer_pool.js').BufferPool} pool of pieces as long as the file's chunks; each chunk passes through one
 * @param {import('./file_transfer.js').Sink} sink
 */
export async function bring(file, supply, pool, sink) {
  throwIfAborted(supply.signal);
  const transfer = new FileTransfer(file, supply, pool, sink);
  await inTurn(transfer, 'shared', () => transfer.takeKept());
  if (transfer.done) return;
  await inTurn(transfer, 'exclusive', async () => {
    await transfer.takeKept();
    await transfer.fetchMissing();
  });
}

/** @param {FileTransfer} transfer @param {LockMode} mode @param {() => Promise<void>} work */
async function inTurn(transfer, mode, work) {
  const { file, supply } = transfer;
  await lookingOn(transfer, (enter) => holdingFile(file.sha256, mode, supply.signal, () => {
    enter();
    return transfer.closingAfter(work);
  }));
}

/**
 * @param {ChunkedFile} file a small one, in one chunk
 * @param {Supply} supply
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
export async function bringWhole(file, supply) {
  const buffer = new Uint8Array(file.bytes);
  await bring(file, supply, poolOf(buffer), () => undefined);
  return buffer;
}
