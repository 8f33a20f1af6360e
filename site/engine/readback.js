/** Brings results from the GPU: a few mapped buffers, made once, that take turns. */

import { EngineError, OutOfMemoryError } from './errors.js';

/** @typedef {{ from: GPUBuffer, bytes: number }} Source copied from its start, one after the other */

export class Readback {
  /**
   * @param {import('./device.js').Device} device
   * @param {GPUBuffer[]} slots
   */
  constructor(device, slots) {
    this.device = device;
    this.free = slots;
    this.slots = slots.length;
    this.bytes = slots.reduce((sum, { size }) => sum + size, 0);
  }

  /**
   * @param {import('./device.js').Device} device
   * @param {number} bytes of one result
   * @param {number} count results that may be under way at once
   * @returns {Promise<Readback>}
   */
  static async create(device, bytes, count) {
    const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
    const wanted = Array.from({ length: count }, () => ({ label: 'readback', size: bytes, usage }));
    const slots = await device.makeBuffers('the read-back buffers', wanted);
    return new Readback(device, slots);
  }

  /**
   * Copies, submits, and reads.
   *
   * @param {GPUCommandEncoder} encoder with the work that makes the result
   * @param {Source[]} sources of a whole number of words each
   * @returns {Promise<ArrayBuffer>} the bytes, once the GPU is done
   */
  async submit(encoder, sources) {
    const slot = /** @type {GPUBuffer} */ (this.free.pop());
    let size = 0;
    for (const { from, bytes } of sources) {
      encoder.copyBufferToBuffer(from, 0, slot, size, bytes);
      size += bytes;
    }
    this.device.gpu.queue.submit([encoder.finish()]);
    try {
      await slot.mapAsync(GPUMapMode.READ, 0, size);
      const bytes = slot.getMappedRange(0, size).slice(0);
      this.device.check();
      return bytes;
    } catch (cause) {
      const reason = await this.device.reasonOf(cause);
      if (reason instanceof EngineError) throw reason;
      // The device is well and has refused nothing: what is missing is memory of the browser to map the result into.
      throw new OutOfMemoryError(`A result of ${size} bytes could not be read back: ${/** @type {Error} */ (cause).message}`);
    } finally {
      slot.unmap();
      this.free.push(slot);
    }
  }

  /** Nothing may be under way. */
  destroy() {
    for (const slot of this.free) slot.destroy();
  }
}
