/** A session on the CPU, as the worker's calls use it. There is no device to be lost, and no driver to be doubted. */

import { NeedsWebGpuError } from '../errors.js';
import { openSession } from './session.js';

/** @typedef {import('./session.js').Session} Session */

export class ProcessorModel {
  /** @param {Session} session */
  constructor(session) {
    this.session = session;
  }

  /** @param {import('./session.js').LoadRequest} request @param {import('../transfer/kept_load.js').Opening} opening */
  static async open(request, opening) {
    return new ProcessorModel(await openSession(request, opening));
  }

  /** @template T @param {(session: Session) => Promise<T>} use @returns {Promise<T>} */
  run(use) {
    return use(this.session);
  }

  finished() {}

  /** @param {unknown} cause @returns {Promise<never>} */
  async recover(cause) {
    throw cause;
  }

  /** @param {string | null} url of an adapter's folder @returns {Promise<import('../adapters/shelf.js').Swap>} */
  async setAdapter(url) {
    if (url !== null) throw new NeedsWebGpuError('Adapters are put on by WebGPU, and this model runs on the CPU', { url });
    return { adapter: null, ms: 0, networkBytes: 0, memoryBytes: 0, ready: 0 };
  }

  async destroy() {
    await this.session.graph.close();
  }
}
