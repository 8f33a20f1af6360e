/** Many texts go to the model a batch at a time, in batches of a size that suits the device. */

/** One call to the model should take about this long: progress moves, and a question does not wait long behind it. */
const CALL_MS = 250;
const SMALLEST_BATCH = 2;
const LARGEST_BATCH = 64;

/**
 * @template T
 * @param {T[]} items
 * @param {(batch: T[]) => Promise<void>} read what throws ends it
 */
export async function inBatches(items, read) {
  let size = SMALLEST_BATCH;
  for (let first = 0; first < items.length; ) {
    const batch = items.slice(first, first + size);
    const startedAt = performance.now();
    await read(batch);
    first += batch.length;
    size = nextSize(size, performance.now() - startedAt);
  }
}

/**
 * @param {number} size of the batch that just ended
 * @param {number} milliseconds that it took
 */
function nextSize(size, milliseconds) {
  const wanted = milliseconds < CALL_MS ? size * 2 : size / 2;
  return Math.min(LARGEST_BATCH, Math.max(SMALLEST_BATCH, wanted));
}
