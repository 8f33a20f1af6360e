/** A download's pause: pass it to `load`. What has arrived stays, and goes on from there. */

export class DownloadControl {
  #paused = false;
  /** @type {Set<(paused: boolean) => void>} */
  #listeners = new Set();

  /** Whether transfers stand still. */
  get paused() {
    return this.#paused;
  }

  /** Stops all transfers within a moment. */
  pause() {
    this.#turn(true);
  }

  /** Goes on where they stopped. */
  resume() {
    this.#turn(false);
  }

  /** @param {(paused: boolean) => void} listener hears of every change, and at once of a pause @returns {() => void} ends it */
  follow(listener) {
    this.#listeners.add(listener);
    if (this.#paused) listener(true);
    return () => this.#listeners.delete(listener);
  }

  /** @param {boolean} paused */
  #turn(paused) {
    if (paused === this.#paused) return;
    this.#paused = paused;
    for (const listener of this.#listeners) listener(paused);
  }
}
