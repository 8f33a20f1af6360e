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
   * Of an adapter of its own, as none gives a second device once the first is lost. The page had an adapter, or it would
   * not have asked for a device.
   *
   * @param {string[]} features
   * @param {Record<string, number>} limits
   * @returns {Promise<Device>}
   */
  static async open(features, limits) {
    const adapter = await findAdapter(true);
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
      throw await this.reasonOf(cause);
    }
  }

  /** @param {unknown} cause of a failure @returns {Promise<unknown>} the fault of the device where that explains it */
  async reasonOf(cause) {
    if (cause instanceof EngineError) return cause;
    await Promise.race([this.lost, new Promise((resolve) => setTimeout(resolve, LOSS_NEWS_MS))]);
    return this.fault ?? cause;
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
    /** @type {Promise<(GPUError | null)[]>} */
    let scopes;
    let made;
    try {
      made = create();
    } finally {
      // Also where it throws: a scope that stays open would swallow the errors of others.
      scopes = Promise.all([gpu.popErrorScope(), gpu.popErrorScope()]);
      scopes.catch(() => undefined);
    }
    const [memory, validation] = await this.settle(scopes);
    const error = memory ?? validation;
    if (error) throw gpuFault(error, `${what} failed`);
    return made;
  }

  /**
   * All of them, or none: what the GPU gave before it refused goes back to it.
   *
   * @param {string} what they are, for the message
   * @param {GPUBufferDescriptor[]} wanted
   * @returns {Promise<GPUBuffer[]>} in the same order
   */
  async makeBuffers(what, wanted) {
    /** @type {GPUBuffer[]} */
    const made = [];
    try {
      return await this.guarded(`Making ${what}`, () => {
        for (const descriptor of wanted) made.push(this.gpu.createBuffer(descriptor));
        return made;
      });
    } catch (cause) {
      for (const buffer of made) buffer.destroy();
      throw cause;
    }
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
