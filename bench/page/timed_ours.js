/** Our engine, with the times at which its tokens came from the GPU rather than those at which their text could be shown. */

import { now, readTimesSince } from './gpu_calls.js';
import { Ours } from '/bench/ours.js';

export class TimedOurs extends Ours {
  /**
   * Text is held back until its letters are whole, which a model of random weights rarely gets done.
   *
   * @override
   * @param {import('/bench/ours.js').Prompt} prompt
   * @param {number} count
   */
  async generate(prompt, count) {
    const began = now();
    const answer = await super.generate(prompt, count);
    const times = await readTimesSince(began);
    return { ...answer, firstMs: times[0] - began, decodeMs: times[times.length - 1] - times[0] };
  }

  /** @override @param {string} address @param {import('/engine/index.js').LoadOptions} [options] */
  static async open(address, options) {
    const { model, facts } = await super.open(address, options);
    return new TimedOurs(model, facts.loadMs);
  }
}
