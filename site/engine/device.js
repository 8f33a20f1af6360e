/** The GPU device: opened with exactly what a plan needs; its loss and its late errors become errors of ours. */

import { DeviceLostError, EngineError, NoAdapterError, OutOfMemoryError, PlanInvalidError } from './errors.js';
import { findAdapter } from './verdict.js';

/** How long a failed wait is given for the news that the device is lost. */
const LOSS_NEWS_MS = 1000;

export class Device {
  /**
   * @param {GPUDevice} gpu
   * @param {GPUAdapterInfo} info
   */
  constructor(gpu, info) {
    this.gpu = gpu;
    this.info = { vendor: info.vendor, architecture: info.architecture, description: info.description };
    this.software = info.isFallbackAdapter;
    /** @type {EngineError | null} what makes every later result worthless */
    this.fault = null;
    this.lost = gpu.lost.then(({ reason, message }) => {
      this.fault ??= new DeviceLostError(`The GPU was lost: ${message || reason}`, { reason });
    });
    gpu.addEventListener('uncapturederror', ({ error }) => {
      this.fault ??= gpuFault(error, 'The GPU refused a command');
    });
  }

  /**
   * @param {string[]} features
   * @param {Record<string, number>} limits
   * @returns {Promise<Device>}
   */
  static async open(features, limits) {
    const adapter = await findAdapter();
    const requiredFeatures = /** @type {GPUFeatureName[]} */ (features);
    try {
      return new Device(await adapter.requestDevice({ requiredFeatures, requiredLimits: limits }), adapter.info);
    } catch (cause) {
      throw new NoAdapterError(`The browser could not open the GPU: ${/** @type {Error} */ (cause).message}`);
    }
  }

  /** @throws {EngineError} when the device no longer gives right results */
  check() {
    if (this.fault) throw this.fault;
  }

  /**
   * @template T
   * @param {Promise<T>} wait for the GPU
   * @returns {Promise<T>}
   */
  async settle(wait) {
    try {
      const value = await wait;
      this.check();
      return value;
    } catch (cause) {
      if (cause instanceof EngineError) throw cause;
      await Promise.race([this.lost, new Promise((resolve) => setTimeout(resolve, LOSS_NEWS_MS))]);
      throw this.fault ?? cause;
    }
  }

  /**
   * @template T
   * @param {string} what is being made, for the message
   * @param {() => T} create
   * @returns {Promise<T>} once the GPU has agreed
   */
  async guarded(what, create) {
    const { gpu } = this;
    gpu.pushErrorScope('validation');
    gpu.pushErrorScope('out-of-memory');
    const made = create();
    const [memory, validation] = await this.settle(Promise.all([gpu.popErrorScope(), gpu.popErrorScope()]));
    const error = memory ?? validation;
    if (error) throw gpuFault(error, `${what} failed`);
    return made;
  }

  destroy() {
    this.gpu.destroy();
  }
}

/** @param {GPUError} error @param {string} what @returns {EngineError} */
function gpuFault(error, what) {
  if (error instanceof GPUOutOfMemoryError) return new OutOfMemoryError(`${what}: the GPU is out of memory`);
  return new PlanInvalidError(`${what}: ${error.message}`);
}
