/** A response's body as a run of bytes, and the wait for it: a silent connection is a failure, not a long wait. */

import { FileTooLongError, FileTruncatedError } from './errors.js';
import { networkFault, Silence, STALL_MS } from './http.js';

/** @typedef {Uint8Array<ArrayBuffer>} Bytes */

const PIECE_BYTES = 256 * 1024;

/**
 * @template T
 * @param {Promise<T>} arrival
 * @param {number} ms
 * @returns {Promise<T>}
 */
async function orStall(arrival, ms) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** @type {Promise<never>} */
  const stalled = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Silence(`no bytes for ${ms / 1000} s`)), ms);
  });
  try {
    return await Promise.race([arrival, stalled]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * @typedef {object} PieceReader
 * @property {() => Promise<{ done: boolean, value?: Bytes }>} read a piece is good until the next read
 * @property {() => Promise<void>} cancel
 */

/**
 * Reads into one and the same memory where the browser can: a new piece of memory for each read would be hundreds of
 * megabytes of garbage in a large download.
 *
 * @param {ReadableStream<Bytes>} body
 * @returns {PieceReader}
 */
export function openReader(body) {
  try {
    const reader = body.getReader({ mode: 'byob' });
    let memory = new ArrayBuffer(PIECE_BYTES);
    const read = async () => {
      const { done, value } = await reader.read(new Uint8Array(memory));
      if (value) memory = value.buffer;
      return { done, value };
    };
    return { read, cancel: () => reader.cancel() };
  } catch {
    return body.getReader();
  }
}

export class ByteStream {
  /**
   * @param {ReadableStream<Bytes>} body
   * @param {string} url
   * @param {{ signal: AbortSignal, stallMs?: number }} patience
   */
  constructor(body, url, { signal, stallMs = STALL_MS }) {
    this.reader = openReader(body);
    this.url = url;
    this.signal = signal;
    this.stallMs = stallMs;
    /** @type {Bytes} */
    this.rest = new Uint8Array();
  }

  /** @returns {Promise<boolean>} false at the end */
  async pull() {
    if (this.rest.length > 0) return true;
    try {
      const { done, value } = await orStall(this.reader.read(), this.stallMs);
      if (value) this.rest = value;
      return !done;
    } catch (cause) {
      throw networkFault(cause, this.url, this.signal);
    }
  }

  /**
   * @param {Uint8Array} target filled from the stream
   * @param {(bytes: number) => void} count
   */
  async fill(target, count) {
    let filled = 0;
    while (filled < target.length) {
      if (!(await this.pull())) throw this.truncated(filled);
      const piece = this.rest.subarray(0, target.length - filled);
      target.set(piece, filled);
      this.rest = this.rest.subarray(piece.length);
      filled += piece.length;
      count(piece.length);
    }
  }

  /** @param {number} bytes to read and drop, where a server does not know Range */
  async skip(bytes) {
    for (let left = bytes; left > 0;) {
      if (!(await this.pull())) throw this.truncated(0);
      const dropped = Math.min(left, this.rest.length);
      this.rest = this.rest.subarray(dropped);
      left -= dropped;
    }
  }

  /** @returns {Bytes} what has come and is not taken */
  takeRest() {
    const taken = this.rest.slice();
    this.rest = new Uint8Array();
    return taken;
  }

  /** @param {number} filled */
  truncated(filled) {
    return new FileTruncatedError(`${this.url} ended early, ${filled} bytes into a chunk`, { url: this.url });
  }

  close() {
    this.reader.cancel().catch(() => undefined);
  }
}

/**
 * @param {Response} response
 * @param {string} url
 * @param {{ most: number, signal: AbortSignal, stallMs?: number }} limits most: bytes that such a file can have
 * @returns {Promise<Bytes>} the whole body
 */
export async function readWithin(response, url, { most, ...patience }) {
  const stream = new ByteStream(response.body ?? new Blob().stream(), url, patience);
  const pieces = [];
  for (let size = 0; await stream.pull(); size += pieces[pieces.length - 1].length) {
    if (size > most) throw new FileTooLongError(`${url} is longer than ${most} bytes`, { url });
    pieces.push(stream.takeRest());
  }
  return new Uint8Array(await new Blob(pieces).arrayBuffer());
}
