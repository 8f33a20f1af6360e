/**
 * What the model has read, and the states after it, so that a prompt that begins alike goes on from there. States are
 * never changed, only replaced: to keep older ones costs no copy.
 */

/** @typedef {import('./runtime.js').Tensor} Tensor */
/** @typedef {{ ids: number[], states: Record<string, Tensor> }} Reading ids, and the states that have seen them */

export class StateMemory {
  /** @param {import('./graph.js').Graph} graph */
  constructor(graph) {
    this.graph = graph;
    /** @type {Reading | null} as far as the model has read */
    this.held = null;
    /** @type {Reading | null} before the last block of the latest prompt */
    this.saved = null;
  }

  /** @param {number[]} ids of a prompt, of which at least the last must be read @returns {Reading} the longest that it begins with */
  beginning(ids) {
    const fits = (/** @type {Reading | null} */ reading) =>
      reading !== null && reading.ids.length < ids.length && reading.ids.every((id, i) => id === ids[i]);
    const found = [this.held, this.saved].find(fits);
    return found ?? { ids: [], states: this.graph.emptyStates() };
  }

  /** @param {Reading} reading */
  hold(reading) {
    this.held = reading;
  }

  /** @param {Reading} reading */
  save(reading) {
    if (reading.ids.length > 0) this.saved = reading;
  }

  /** The next prompt is read from its start. */
  forget() {
    this.held = null;
    this.saved = null;
  }
}
