/** How fast a download is: of late, with older moments counting less and less, and on the whole. */

/** A change of speed shows by two thirds after this long. */
const MEMORY_MS = 4000;
/** A speed from less than this says nothing about the rest. */
const STEADY_MS = 1000;
const TELLING_MS = 200;
const TELLING_BYTES = 1e6;

export class TransferSpeed {
  #recentBytes = 0;
  #recentMs = 0;
  #bytes = 0;
  #ms = 0;
  #loaded = 0;
  /** @type {number | null} null while nothing is on its way */
  #at = null;

  /**
   * @param {number} loaded bytes that have come by now
   * @param {number} [now] milliseconds
   */
  note(loaded, now = performance.now()) {
    if (this.#at !== null) this.#count(loaded - this.#loaded, now - this.#at);
    this.#loaded = loaded;
    this.#at = now;
  }

  /** The time until the next note does not count. */
  rest() {
    this.#at = null;
  }

  /** Bytes a second of late; null while nobody could know. */
  get recent() {
    return this.#ms < STEADY_MS || this.#recentBytes < 1 ? null : (1000 * this.#recentBytes) / this.#recentMs;
  }

  /** Bytes a second of all that came; null where that was too little to tell. */
  get mean() {
    return this.#ms < TELLING_MS || this.#bytes < TELLING_BYTES ? null : (1000 * this.#bytes) / this.#ms;
  }

  /**
   * @param {number} bytes
   * @param {number} ms
   */
  #count(bytes, ms) {
    const fading = Math.exp(-ms / MEMORY_MS);
    this.#recentBytes = this.#recentBytes * fading + bytes;
    this.#recentMs = this.#recentMs * fading + ms;
    this.#bytes += bytes;
    this.#ms += ms;
  }
}
