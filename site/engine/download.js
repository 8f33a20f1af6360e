/**
 * Brings a file chunk by chunk: from the cache or the network, verified by SHA-256 before anybody sees it. What fails
 * is fetched again from the chunk that failed, with a Range request.
 */

import { ByteStream } from './byte_stream.js';
import { chunkLength } from './cache.js';
import {
  AbortedError, FileCorruptedError, FileTooLongError, FileTruncatedError, NetworkFailedError, throwIfAborted,
} from './errors.js';
import { request } from './http.js';

/** @typedef {import('./manifest.js').ChunkedFile} ChunkedFile */
/** @typedef {Uint8Array<ArrayBuffer>} Bytes */
/** @typedef {(bytes: Bytes, offset: number) => void | Promise<void>} Sink gets verified bytes, in order */
/**
 * @typedef {object} Supply what downloads share
 * @property {string} base the folder's address, ending in a slash
 * @property {import('./cache.js').ChunkCache} cache
 * @property {import('./progress.js').Progress} progress
 * @property {AbortSignal} signal
 * @property {number} [stallMs] how long a silent connection is waited for; 30 s unless said
 * @property {number} [backoffMs] wait before the first retry; the second waits four times as long
 */

const RETRIES = 2;
const BACKOFF_MS = 500;
const RETRIED = [NetworkFailedError, FileTruncatedError, FileCorruptedError];

/** One file on its way. */
class FileDownload {
  /**
   * @param {ChunkedFile} file
   * @param {Supply} supply
   */
  constructor(file, supply) {
    this.file = file;
    this.supply = supply;
    this.url = supply.base + file.file;
    /** @type {ByteStream | null} */
    this.stream = null;
    this.position = 0;
    this.received = 0;
  }

  /**
   * @param {Uint8Array<ArrayBuffer>} buffer of at least chunkBytes; used for every chunk
   * @param {Sink} sink
   */
  async run(buffer, sink) {
    try {
      for (let i = 0; i < this.file.chunks.length; i++) {
        const chunk = buffer.subarray(0, chunkLength(this.file, i));
        if (!(await this.fromCache(chunk, i))) await this.fromNetwork(chunk, i);
        await sink(chunk, i * this.file.chunkBytes);
      }
      await this.expectEnd();
    } finally {
      this.disconnect();
    }
  }

  /** @param {Uint8Array<ArrayBuffer>} chunk @param {number} index @returns {Promise<boolean>} */
  async fromCache(chunk, index) {
    const { cache } = this.supply;
    const body = await cache.read(this.url, index);
    if (!body) return false;
    const stream = new ByteStream(body, this.url, this.supply);
    try {
      await stream.fill(chunk, this.count);
      await this.verify(chunk, index);
      return true;
    } catch (cause) {
      this.forgetReceived();
      if (cause instanceof AbortedError) throw cause;
      await cache.drop(this.url, index);
      return false;
    } finally {
      this.received = 0;
      stream.close();
    }
  }

  /** @param {Uint8Array<ArrayBuffer>} chunk @param {number} index */
  async fromNetwork(chunk, index) {
    for (let attempt = 0; ; attempt++) {
      try {
        await this.fetchChunk(chunk, index, attempt);
        break;
      } catch (cause) {
        this.disconnect();
        this.forgetReceived();
        if (attempt === RETRIES || !RETRIED.some((type) => cause instanceof type)) throw cause;
        await this.wait(attempt);
      }
    }
    this.received = 0;
    this.supply.progress.fetched += chunk.length;
    await this.supply.cache.write(this.url, index, chunk);
  }

  /** @param {Uint8Array<ArrayBuffer>} chunk @param {number} index @param {number} attempt */
  async fetchChunk(chunk, index, attempt) {
    const start = index * this.file.chunkBytes;
    const stream = await this.connect(start, attempt);
    await stream.fill(chunk, this.count);
    this.position = start + chunk.length;
    await this.verify(chunk, index);
  }

  /**
   * @param {number} start
   * @param {number} attempt
   * @returns {Promise<ByteStream>} a stream whose next byte is `start`
   */
  async connect(start, attempt) {
    if (this.stream && this.position === start) return this.stream;
    this.disconnect();
    const { signal, cache, stallMs } = this.supply;
    // Chunks are kept in our own cache, so the browser's need not keep them too; a retry must not see what failed.
    const mode = attempt > 0 ? 'reload' : cache.store ? 'no-store' : 'default';
    const headers = start > 0 ? { range: `bytes=${start}-` } : undefined;
    const response = await request(this.url, { signal, headers, cache: mode }, stallMs);
    if (!response.body) throw new FileTruncatedError(`${this.url} answered without a body`, { url: this.url });
    const stream = new ByteStream(response.body, this.url, this.supply);
    this.stream = stream;
    this.position = start;
    await stream.skip(start - firstByte(response, start));
    return stream;
  }

  /** @param {Uint8Array<ArrayBuffer>} chunk @param {number} index */
  async verify(chunk, index) {
    if ((await sha256(chunk)) === this.file.chunks[index]) return;
    const url = this.url;
    throw new FileCorruptedError(`${url}, chunk ${index}, does not have the SHA-256 of the manifest`, { url, index });
  }

  /** A file longer than the manifest says is not the file of the manifest. */
  async expectEnd() {
    if (!this.stream || this.position !== this.file.bytes || !(await this.stream.pull())) return;
    const { url } = this;
    throw new FileTooLongError(`${url} is longer than the ${this.file.bytes} bytes of the manifest`, { url });
  }

  /** @param {number} bytes */
  count = (bytes) => {
    this.received += bytes;
    this.supply.progress.add(bytes);
  };

  forgetReceived() {
    this.supply.progress.add(-this.received);
    this.received = 0;
  }

  disconnect() {
    this.stream?.close();
    this.stream = null;
  }

  /** @param {number} attempt */
  async wait(attempt) {
    const { signal, backoffMs = BACKOFF_MS } = this.supply;
    await new Promise((resolve) => {
      setTimeout(resolve, backoffMs * 4 ** attempt);
      signal.addEventListener('abort', resolve, { once: true });
    });
    throwIfAborted(signal);
  }
}

/** @param {Response} response @param {number} asked for, if the header is hidden */
function firstByte(response, asked) {
  const range = /^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '');
  if (response.status !== 206) return 0;
  return range ? Number(range[1]) : asked;
}

/** @param {Uint8Array<ArrayBuffer>} bytes @returns {Promise<string>} lower-case hex */
export async function sha256(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * @param {ChunkedFile} file
 * @param {Supply} supply
 * @param {Uint8Array<ArrayBuffer>} buffer of at least chunkBytes; each chunk passes through it
 * @param {Sink} sink
 */
export async function download(file, supply, buffer, sink) {
  throwIfAborted(supply.signal);
  await new FileDownload(file, supply).run(buffer, sink);
}

/**
 * @param {ChunkedFile} file a small one, in one chunk
 * @param {Supply} supply
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
export async function downloadWhole(file, supply) {
  const buffer = new Uint8Array(file.bytes);
  await download(file, supply, buffer, () => undefined);
  return buffer;
}
