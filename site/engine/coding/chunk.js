/** Reads a coded chunk (exporter/artifact/FORMAT.md): one stretch of a shard, in fewer bytes. Nothing in a chunk is trusted. */

import { FileCorruptedError } from '../errors.js';
import { decode, LOWEST, slotsOf, TOTAL } from './rans.js';

/** @typedef {Uint8Array<ArrayBuffer>} Bytes */
/** @typedef {{ start: number, bytes: Bytes }} Stretch */

/** What a reader has memory for at once. */
export const STRETCH_BYTES = 8 * 2 ** 20;
const [PLAIN, CODED, REPEATED] = [0, 1, 2];
const LANES = 4;

/**
 * @param {Bytes} chunk at an even place of its buffer
 * @param {number} shardBytes
 * @param {Bytes} memory of STRETCH_BYTES, at a word's place of its buffer; what is returned lies in it
 * @returns {Stretch} its start and length are whole words
 */
export function readChunk(chunk, shardBytes, memory) {
  const cursor = new Cursor(chunk);
  const start = cursor.uint32();
  const length = cursor.uint32();
  const [tables, parts] = [cursor.uint16(), cursor.uint16()];
  cursor.require(start % 4 === 0 && length % 4 === 0 && length <= STRETCH_BYTES && start + length <= shardBytes);
  const bytes = memory.subarray(0, length).fill(0);
  const slots = Array.from({ length: tables }, () => readSlots(cursor));
  for (let part = 0; part < parts; part++) readPart(cursor, slots, bytes);
  return { start, bytes };
}

/** @param {Cursor} cursor @returns {Uint32Array} */
function readSlots(cursor) {
  const used = cursor.bytes(32);
  const frequencies = new Uint16Array(256);
  let sum = 0;
  for (let byte = 0; byte < 256; byte++) {
    if (used[byte >> 3] >> (byte & 7) & 1) frequencies[byte] = cursor.uint16();
    cursor.require(frequencies[byte] < TOTAL);
    sum += frequencies[byte];
  }
  cursor.require(sum === TOTAL);
  return slotsOf(frequencies);
}

/** @param {Cursor} cursor @param {Uint32Array[]} slots @param {Bytes} bytes */
function readPart(cursor, slots, bytes) {
  const [kind, stride] = cursor.bytes(2);
  const last = cursor.uint16();
  const offset = cursor.uint32();
  const count = cursor.uint32();
  if (kind === REPEATED) return repeat(cursor, bytes, { offset, count, run: last });
  cursor.require((kind === PLAIN || kind === CODED) && stride > 0 && count > 0 && offset + (count - 1) * stride < bytes.length);
  cursor.require(kind === PLAIN || last < slots.length);
  if (kind === CODED && stride === 1 && offset % 4 === 0) {
    readCoded(cursor, slots[last], bytes.subarray(offset, offset + count));
  } else {
    const symbols = kind === CODED ? readCoded(cursor, slots[last], new Uint8Array(count)) : cursor.bytes(count);
    for (let i = 0; i < count; i++) bytes[offset + i * stride] = symbols[i];
  }
  cursor.toEven();
}

/** @param {Cursor} cursor @param {Bytes} bytes @param {{ offset: number, count: number, run: number }} where */
function repeat(cursor, bytes, { offset, count, run }) {
  cursor.require(run > 0 && offset % 2 === 0 && offset + 2 * count * run <= bytes.length);
  const out = new Uint16Array(bytes.buffer, bytes.byteOffset + offset, count * run);
  for (let i = 0; i < count; i++) out.fill(cursor.uint16(), i * run, (i + 1) * run);
}

/** @param {Cursor} cursor @param {Uint32Array} slots @param {Bytes} out begins at a word @returns {Bytes} out */
function readCoded(cursor, slots, out) {
  const lanes = { states: new Int32Array(LANES), at: new Int32Array(LANES) };
  const words = new Uint32Array(LANES);
  for (let k = 0; k < LANES; k++) {
    lanes.states[k] = cursor.uint32();
    words[k] = cursor.uint32();
  }
  cursor.require(lanes.states.every((state) => state >= LOWEST));
  const ends = words.map((count) => cursor.skip(2 * count) / 2);
  lanes.at.set(ends.map((end, k) => end - words[k]));
  const quads = Math.floor(out.length / LANES);
  decode(slots, cursor.words, lanes, new Int32Array(out.buffer, out.byteOffset, quads));
  cursor.require(lanes.states.every((state) => state === LOWEST) && lanes.at.every((at, k) => at === ends[k]));
  out.set(cursor.bytes(out.length % LANES), quads * LANES);
  return out;
}

class Cursor {
  /** @param {Bytes} chunk */
  constructor(chunk) {
    this.chunk = chunk;
    this.view = new DataView(chunk.buffer, chunk.byteOffset, chunk.length);
    this.words = new Uint16Array(chunk.buffer, chunk.byteOffset, chunk.length >> 1);
    this.at = 0;
  }

  /** @param {unknown} right */
  require(right) {
    if (!right) throw new FileCorruptedError(`A coded chunk of weights is not as it must be, at byte ${this.at}`);
  }

  /** @param {number} count @returns {number} where what is skipped ends */
  skip(count) {
    this.require(count <= this.chunk.length - this.at);
    this.at += count;
    return this.at;
  }

  /** @param {number} count @returns {Bytes} */
  bytes(count) {
    const end = this.skip(count);
    return this.chunk.subarray(end - count, end);
  }

  uint16() {
    return this.view.getUint16(this.skip(2) - 2, true);
  }

  uint32() {
    return this.view.getUint32(this.skip(4) - 4, true);
  }

  toEven() {
    this.at += this.at % 2;
  }
}
