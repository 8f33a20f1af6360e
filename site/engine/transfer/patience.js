/** How often what failed is tried again, and after how long. What has arrived since the last failure renews it. */

import { FileCorruptedError, FileTruncatedError, NetworkFailedError } from '../errors.js';

const BACKOFF_MS = 500;
const LONGEST_MS = 8000;
/** A server may ask for a longer wait, but not for ever. */
const LONGEST_ASKED_MS = 60_000;
/** So much must have come to renew it: a server that sends a few bytes and falls silent would be tried for ever. */
const LEAST_BYTES = 1024;
/** A file that does not have its hash is seldom better the next time. */
const TRIES = /** @type {const} */ ([[NetworkFailedError, 6], [FileTruncatedError, 6], [FileCorruptedError, 3]]);

export class Patience {
  /** @param {number} [backoffMs] the first wait; each is twice as long as the one before */
  constructor(backoffMs = BACKOFF_MS) {
    this.backoffMs = backoffMs;
    this.failures = 0;
    this.reached = -Infinity;
  }

  /**
   * @param {unknown} cause of a failure
   * @param {number} reached how far it had come: further than ever, by more than a trickle, begins anew
   * @returns {number} milliseconds to wait
   * @throws {unknown} the cause, where another try is in vain
   */
  after(cause, reached) {
    if (reached >= this.reached + LEAST_BYTES) {
      this.reached = reached;
      this.failures = 0;
    }
    this.failures += 1;
    if (this.failures >= triesOf(cause)) throw cause;
    const longest = Math.max(LONGEST_MS, this.backoffMs);
    return Math.max(askedOf(cause), Math.min(longest, this.backoffMs * 2 ** (this.failures - 1)));
  }
}

/** @param {unknown} cause @returns {number} */
function triesOf(cause) {
  return TRIES.find(([type]) => cause instanceof type)?.[1] ?? 1;
}

/** @param {unknown} cause @returns {number} milliseconds that the server asked for */
function askedOf(cause) {
  const seconds = cause instanceof NetworkFailedError ? Number(cause.fields.retryAfter ?? 0) : 0;
  return Math.min(seconds * 1000, LONGEST_ASKED_MS);
}
