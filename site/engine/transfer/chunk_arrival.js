/** A chunk on its way. What has come of it stays: in memory for the next try, in the store for the next visit. */

import { begunBytes, chunkLength, stepOf, WHOLE } from '../storage/chunks.js';

/** @typedef {import('../manifest.js').ChunkedFile} ChunkedFile */
/** @typedef {Uint8Array<ArrayBuffer>} Bytes */

/** What a killed tab loses of each connection, at most. */
const PART_BYTES = 64 * 1024;

export class ChunkArrival {
  /**
   * @param {ChunkedFile} file
   * @param {Bytes} buffer as long as the longest chunk
   * @param {import('./supply.js').Supply} supply
   */
  constructor(file, buffer, { store, keeping, progress, partBytes = PART_BYTES }) {
    this.file = file;
    this.buffer = buffer;
    this.store = store;
    this.keeping = keeping;
    this.progress = progress;
    this.partBytes = partBytes;
    this.index = 0;
    /** Bytes that have come; of those, which the store has, and which an earlier visit had brought. */
    this.come = 0;
    this.kept = 0;
    this.resumed = 0;
  }

  /** Another chunk begins, or the same one anew. */
  forget() {
    this.come = 0;
    this.kept = 0;
    this.resumed = 0;
  }

  /** @returns {Bytes} the memory of the chunk */
  get chunk() {
    return this.buffer.subarray(0, chunkLength(this.file, this.index));
  }

  /** Begins with what an earlier visit has kept. @param {number} mark of the chunk */
  async resume(mark) {
    const bytes = begunBytes(this.file, this.index, mark);
    if (bytes === 0 || !(await this.store.read(this.file, this.index, this.buffer.subarray(0, bytes)))) return;
    this.progress.add(bytes);
    this.come = this.kept = this.resumed = bytes;
  }

  /**
   * @param {import('../byte_stream.js').ByteStream} stream of the bytes that are still to come
   * @param {boolean} lasting whether a later request may go on where this one ends
   */
  async fill(stream, lasting) {
    const { chunk } = this;
    try {
      while (this.come < chunk.length) {
        const part = chunk.subarray(this.come, this.come + this.partBytes);
        await stream.fill(part, (bytes) => this.count(bytes));
        if (lasting) await this.keepBegun();
      }
    } catch (cause) {
      if (lasting) await this.keepBegun();
      else this.drop();
      throw cause;
    }
  }

  /** @param {number} bytes */
  count(bytes) {
    this.come += bytes;
    this.progress.add(bytes);
  }

  /** A cache takes whole chunks only. */
  async keepBegun() {
    if (this.store.kind !== 'opfs') return;
    const mark = WHOLE + Math.floor(this.come / stepOf(this.file));
    const bytes = begunBytes(this.file, this.index, mark);
    if (bytes <= this.kept) return;
    await this.keeping.write(this.file, this.index, this.buffer.subarray(0, bytes), this.kept, mark);
    this.kept = bytes;
  }

  /** The chunk is whole and verified. */
  async keep() {
    this.progress.fetched += this.chunk.length - this.resumed;
    await this.keeping.write(this.file, this.index, this.chunk, this.kept);
    this.forget();
  }

  /** The chunk is whole and not right: nobody knows from where on. */
  async discard() {
    if (this.kept > 0) await this.keeping.write(this.file, this.index, this.buffer.subarray(0, 0), 0, 0);
    this.drop();
  }

  drop() {
    this.progress.add(-this.come);
    this.forget();
  }
}
