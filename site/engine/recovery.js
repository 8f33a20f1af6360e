/** What is done about a lost GPU: the work is begun again on a new one, but not for ever. */

import { DeviceLostError, GpuBlockedError } from './errors.js';

/** @typedef {{ ms: number, reason: string }} Recovery `ms` from the news of the loss until the model was whole again; WebGPU's `reason` */

/** So many devices in a row may be lost without a finished call: something that is done then kills them. */
const MOST_IN_A_ROW = 3;

export class Losses {
  /** @param {(recovery: Recovery) => void} onRecovered */
  constructor(onRecovered) {
    this.onRecovered = onRecovered;
    this.inARow = 0;
  }

  /** A call came to its end, and so will others. */
  finished() {
    this.inARow = 0;
  }

  /** @param {unknown} cause @throws what is no loss, or one too many */
  count(cause) {
    // No device was opened, and so none was lost; and each later call says the same.
    if (cause instanceof GpuBlockedError) this.finished();
    if (!(cause instanceof DeviceLostError) || this.inARow === MOST_IN_A_ROW) throw cause;
    this.inARow += 1;
  }

  /**
   * @template T
   * @param {() => Promise<T>} work which opens a device of its own each time
   * @param {unknown} [cause] why the device before is of no use any more
   * @returns {Promise<T>}
   */
  async outlive(work, cause) {
    for (let [lost, began] = [cause, performance.now()]; ;) {
      if (lost !== undefined) this.count(lost);
      try {
        const made = await work();
        if (lost instanceof DeviceLostError) {
          this.onRecovered({ ms: performance.now() - began, reason: String(lost.fields.reason) });
        }
        return made;
      } catch (next) {
        if (lost === undefined) began = performance.now();
        lost = next;
      }
    }
  }
}
