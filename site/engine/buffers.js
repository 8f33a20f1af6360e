/** The GPU buffers of a plan: made at load, all or none, and filled. */

import { ropeBlocks } from './rope_table.js';

/** @typedef {import('./plan.js').PlanBuffer} PlanBuffer */
/** @typedef {{ target: GPUBuffer, start: number, end: number }} Range where bytes [start, end) of a shard go */

/** Uploads are handed to the GPU in portions of this size, so that the browser holds no more than that. */
const UPLOAD_BYTES = 32 * 2 ** 20;

/** @returns {Record<PlanBuffer['kind'], number>} */
export function usages() {
  const { STORAGE, UNIFORM, COPY_DST, COPY_SRC } = GPUBufferUsage;
  return {
    weight: STORAGE | COPY_DST,
    table: STORAGE | COPY_DST,
    state: STORAGE | COPY_DST | COPY_SRC,
    snapshot: COPY_DST | COPY_SRC,
    activation: STORAGE,
    input: STORAGE | COPY_DST | COPY_SRC,
    output: STORAGE | COPY_SRC,
    step: STORAGE | UNIFORM | COPY_DST | COPY_SRC,
    sampling: UNIFORM | COPY_DST | COPY_SRC,
  };
}

export class Buffers {
  /**
   * @param {PlanBuffer[]} plan
   * @param {GPUBuffer[]} made in the same order
   * @param {import('./device.js').Device} device
   */
  constructor(plan, made, device) {
    this.plan = plan;
    this.made = made;
    this.device = device;
    this.waiting = 0;
    this.states = made.filter((_, i) => plan[i].kind === 'state');
    this.step = made[plan.findIndex(({ kind }) => kind === 'step')];
    this.sampling = made[plan.findIndex(({ kind }) => kind === 'sampling')];
  }

  /**
   * @param {PlanBuffer[]} plan
   * @param {import('./device.js').Device} device
   * @returns {Promise<Buffers>}
   */
  static async create(plan, device) {
    const usage = usages();
    const wanted = plan.map(({ name, kind, bytes }) => ({ label: name, size: bytes, usage: usage[kind] }));
    const made = await device.makeBuffers('the GPU buffers', wanted);
    return new Buffers(plan, made, device);
  }

  /** @param {string} name of an input or output @returns {GPUBuffer | undefined} */
  find(name) {
    const isIt = (/** @type {PlanBuffer} */ { name: own, kind }) => own === name && ['input', 'output'].includes(kind);
    return this.made[this.plan.findIndex(isIt)];
  }

  /** @param {string} name of an input or output that `readPlan` has made sure of @returns {GPUBuffer} */
  get(name) {
    return /** @type {GPUBuffer} */ (this.find(name));
  }

  fillTables() {
    const { queue } = this.device.gpu;
    this.plan.forEach(({ rope }, i) => {
      if (!rope) return;
      for (const { offset, values } of ropeBlocks(rope)) queue.writeBuffer(this.made[i], offset, values);
    });
  }

  /** @param {number} shard @returns {Range[]} */
  rangesOf(shard) {
    return this.plan.flatMap(({ weight, bytes }, i) =>
      weight?.shard === shard ? [{ target: this.made[i], start: weight.offset, end: weight.offset + bytes }] : [],
    );
  }

  /**
   * @param {Range[]} ranges of the shard
   * @param {Uint8Array<ArrayBuffer>} chunk a whole number of words
   * @param {number} offset of the chunk in the shard
   */
  async upload(ranges, chunk, offset) {
    const { queue } = this.device.gpu;
    for (const { target, start, end } of ranges) {
      const from = Math.max(start, offset);
      const to = Math.min(end, offset + chunk.length);
      if (from < to) queue.writeBuffer(target, from - start, chunk, from - offset, to - from);
    }
    this.waiting += chunk.length;
    if (this.waiting >= UPLOAD_BYTES) await this.flush();
  }

  async flush() {
    const { queue } = this.device.gpu;
    this.waiting = 0;
    queue.submit([]);
    await this.device.settle(queue.onSubmittedWorkDone());
  }
}

/**
 * A shard may end between words, a GPU write may not.
 *
 * @param {Uint8Array<ArrayBuffer>} chunk in memory that goes on to a word's end
 * @returns {Uint8Array<ArrayBuffer>} the chunk and up to 3 zero bytes
 */
export function inWords(chunk) {
  const words = new Uint8Array(chunk.buffer, chunk.byteOffset, Math.ceil(chunk.length / 4) * 4);
  words.fill(0, chunk.length);
  return words;
}
