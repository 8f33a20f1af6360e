/** Why a store keeps nothing more; a load goes on without it. */

export class StoreFullError extends Error {}

/**
 * Browsers say that the disk is full in two ways: they throw, or they write less than they were given, down to a
 * negative count.
 *
 * @param {number} written
 * @param {number} wanted
 */
export function expectWritten(written, wanted) {
  if (written !== wanted) throw new StoreFullError(`${written} of ${wanted} bytes were written`);
}

/** @param {unknown} cause @returns {'full' | 'refused'} */
export function refusalOf(cause) {
  const isFull = cause instanceof StoreFullError || (cause instanceof DOMException && cause.name === 'QuotaExceededError');
  return isFull ? 'full' : 'refused';
}
