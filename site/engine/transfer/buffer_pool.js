/** A few pieces of memory for chunks on their way; whoever has one may work, so they also bound how many do. */

export class BufferPool {
  /**
   * @param {number} count
   * @param {number} bytes of each
   */
  constructor(count, bytes) {
    this.count = count;
    this.bytes = bytes;
    this.made = 0;
    /** @type {Uint8Array<ArrayBuffer>[]} */
    this.free = [];
    /** @type {((buffer: Uint8Array<ArrayBuffer>) => void)[]} */
    this.waiting = [];
  }

  /**
   * @template T
   * @param {(buffer: Uint8Array<ArrayBuffer>) => Promise<T>} work
   * @returns {Promise<T>}
   */
  async lend(work) {
    const buffer = await this.take();
    try {
      return await work(buffer);
    } finally {
      const next = this.waiting.shift();
      if (next) next(buffer);
      else this.free.push(buffer);
    }
  }

  /** @returns {Promise<Uint8Array<ArrayBuffer>>} */
  async take() {
    const free = this.free.pop();
    if (free) return free;
    if (this.made === this.count) return new Promise((resolve) => this.waiting.push(resolve));
    this.made += 1;
    return new Uint8Array(this.bytes);
  }
}

/** @param {Uint8Array<ArrayBuffer>} buffer @returns {BufferPool} of that one piece */
export function poolOf(buffer) {
  const pool = new BufferPool(1, buffer.length);
  pool.made = 1;
  pool.free.push(buffer);
  return pool;
}
