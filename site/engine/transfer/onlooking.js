/** What another tab brings shows as progress while this one waits. */

import { keptBytes } from '../storage/chunks.js';

const LOOK_MS = 500;

/**
 * @param {import('./file_transfer.js').FileTransfer} transfer
 * @param {(enter: () => void) => Promise<void>} work waits, and calls `enter` when its turn has come
 */
export async function lookingOn({ file, supply, delivered }, work) {
  let seen = 0;
  let waiting = true;
  const show = (/** @type {number} */ bytes) => {
    supply.progress.add(bytes - seen);
    seen = bytes;
  };
  const look = async () => {
    const have = await supply.store.have(file);
    if (waiting) show(keptBytes(file, have.map((mark, index) => (delivered[index] ? 0 : mark))));
  };
  const timer = setInterval(look, LOOK_MS);
  const enter = () => {
    waiting = false;
    clearInterval(timer);
    show(0);
  };
  try {
    await work(enter);
  } finally {
    enter();
  }
}
