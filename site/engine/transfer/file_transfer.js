/**
 * Brings the chunks of one file, each verified by SHA-256 before anybody sees it: first those that the store has, then the
 * others from the network, several stretches at a time. What has been verified is never fetched again, and what has come of
 * a chunk is not either, unless the whole turns out wrong.
 */

import { FileCorruptedError, FileTooLongError, throwIfAborted } from '../errors.js';
import { sha256 } from '../hashing.js';
import { chunkLength, WHOLE } from '../storage/chunks.js';
import { ChunkArrival } from './chunk_arrival.js';
import { online, wait } from './gate.js';
import { Patience } from './patience.js';
import { openStretch, RangesIgnored } from './range_request.js';

/** @typedef {import('../manifest.js').ChunkedFile} ChunkedFile */
/** @typedef {import('./supply.js').Supply} Supply */
/** @typedef {import('../byte_stream.js').ByteStream} ByteStream */
/** @typedef {Uint8Array<ArrayBuffer>} Bytes */
/** @typedef {(bytes: Bytes, offset: number) => void | Promise<void>} Sink gets verified bytes, in any order */
/** @typedef {{ first: number, end: number }} Run chunks to come; `first` moves on */

/** Bytes of a request: enough to be worth one. */
const RUN_BYTES = 8 * 2 ** 20;

export class FileTransfer {
  /**
   * @param {ChunkedFile} file
   * @param {Supply} supply
   * @param {import('./buffer_pool.js').BufferPool} pool of pieces as long as a chunk
   * @param {Sink} sink
   */
  constructor(file, supply, pool, sink) {
    this.file = file;
    this.supply = supply;
    this.pool = pool;
    this.sink = sink;
    this.remote = { url: supply.base + file.file, bytes: file.bytes };
    this.ranged = true;
    /** Of each chunk, whether the sink has it. */
    this.delivered = new Uint8Array(file.chunks.length);
    /** The store's marks, as they were found. @type {Uint8Array} */
    this.marks = new Uint8Array(file.chunks.length);
  }

  get done() {
    return this.delivered.every(Boolean);
  }

  /** @param {() => Promise<void>} work after which the store holds nothing of the file open */
  async closingAfter(work) {
    try {
      await work();
    } finally {
      await this.supply.store.close(this.file.sha256).catch(() => undefined);
    }
  }

  /** What the store has; what it has and is not right is left for `fetchMissing`. */
  async takeKept() {
    this.marks = await this.supply.store.have(this.file);
    const indices = [...this.marks.keys()].filter((index) => this.marks[index] === WHOLE && !this.delivered[index]);
    await this.each(indices, (index, buffer) => this.takeChunk(index, buffer));
  }

  /** @param {number} index @param {Bytes} buffer */
  async takeChunk(index, buffer) {
    const { store, progress, signal } = this.supply;
    throwIfAborted(signal);
    const chunk = buffer.subarray(0, chunkLength(this.file, index));
    if (!(await store.read(this.file, index, chunk)) || !(await this.isRight(chunk, index))) return;
    progress.add(chunk.length);
    await this.deliver(chunk, index);
  }

  /** Whoever calls this holds the file's lock alone. */
  async fetchMissing() {
    try {
      await this.fetchRuns(runsOf(this.delivered, this.marks, this.mostChunks));
    } catch (cause) {
      if (!(cause instanceof RangesIgnored)) throw cause;
      this.ranged = false;
      await this.fetchRuns([{ first: 0, end: this.delivered.length }]);
    }
  }

  /** Chunks of a request: few enough that all connections share the file. */
  get mostChunks() {
    const { runBytes = RUN_BYTES } = this.supply;
    const missing = this.delivered.reduce((sum, done) => sum + Number(!done), 0);
    return Math.max(1, Math.min(Math.floor(runBytes / this.file.chunkBytes), Math.ceil(missing / this.pool.count)));
  }

  /** @param {Run[]} runs */
  async fetchRuns(runs) {
    await this.each(runs, (run, buffer, signal) => this.persist(run, buffer, signal));
  }

  /**
   * The first task to fail stops the others, and its reason is thrown.
   *
   * @template T
   * @param {T[]} tasks
   * @param {(task: T, buffer: Bytes, signal: AbortSignal) => Promise<void>} work
   */
  async each(tasks, work) {
    const failing = new AbortController();
    const signal = AbortSignal.any([this.supply.signal, failing.signal]);
    const queue = [...tasks];
    const carry = async () => {
      for (let task = queue.shift(); task !== undefined && !signal.aborted; task = queue.shift()) {
        const next = task;
        await this.pool.lend((buffer) => work(next, buffer, signal));
      }
    };
    const carriers = Array.from({ length: Math.min(tasks.length, this.pool.count) }, carry);
    await Promise.all(carriers.map((carrier) => carrier.catch((cause) => failing.abort(cause))));
    if (failing.signal.aborted) throw failing.signal.reason;
    throwIfAborted(this.supply.signal);
  }

  /**
   * @param {Run} run
   * @param {Bytes} buffer
   * @param {AbortSignal} signal
   */
  async persist(run, buffer, signal) {
    const arrival = await this.arrivalOf(run.first, buffer);
    try {
      await this.pursue(run, arrival, signal);
    } finally {
      // Without ranges others begin anew with what this one has counted.
      arrival.drop();
    }
  }

  /**
   * @param {Run} run
   * @param {ChunkArrival} arrival
   * @param {AbortSignal} signal
   */
  async pursue(run, arrival, signal) {
    const { gate, backoffMs } = this.supply;
    const patience = new Patience(backoffMs);
    while (run.first < run.end) {
      await gate.passed(signal);
      await online(signal);
      const going = AbortSignal.any([signal, gate.signal]);
      try {
        await this.fetchRun(run, arrival, { ...this.supply, signal: going }, patience.failures > 0);
      } catch (cause) {
        throwIfAborted(signal);
        if (!going.aborted) await wait(patience.after(cause, run.first * this.file.chunkBytes + arrival.come), signal);
      }
    }
  }

  /** @param {number} index @param {Bytes} buffer @returns {Promise<ChunkArrival>} of that chunk, with what was kept of it */
  async arrivalOf(index, buffer) {
    const arrival = new ChunkArrival(this.file, buffer, this.supply);
    arrival.index = index;
    if (this.ranged) await arrival.resume(this.marks[index]);
    return arrival;
  }

  /**
   * @param {Run} run
   * @param {ChunkArrival} arrival
   * @param {Supply} supply
   * @param {boolean} again
   */
  async fetchRun(run, arrival, supply, again) {
    const { bytes, chunkBytes } = this.file;
    const first = this.ranged ? run.first : 0;
    const end = Math.min(run.end * chunkBytes, bytes);
    arrival.index = first;
    const { stream, lasting } = await openStretch(this.remote, { start: first * chunkBytes + arrival.come, end }, supply, again);
    try {
      for (let index = first; index < run.end; index++) {
        arrival.index = index;
        if (this.delivered[index]) await stream.skip(chunkLength(this.file, index));
        else await this.receive(stream, arrival, lasting && this.ranged);
        run.first = Math.max(run.first, index + 1);
      }
      if (end === bytes && (await stream.pull())) throw this.tooLong();
    } finally {
      stream.close();
    }
  }

  /** @param {ByteStream} stream @param {ChunkArrival} arrival @param {boolean} lasting */
  async receive(stream, arrival, lasting) {
    await arrival.fill(stream, lasting);
    if (!(await this.isRight(arrival.chunk, arrival.index))) {
      await arrival.discard();
      throw this.corrupted(arrival.index);
    }
    await arrival.keep();
    await this.deliver(arrival.chunk, arrival.index);
  }

  /** @param {Bytes} chunk @param {number} index @returns {Promise<boolean>} */
  async isRight(chunk, index) {
    return (await sha256(chunk)) === this.file.chunks[index];
  }

  /** @param {Bytes} chunk @param {number} index */
  async deliver(chunk, index) {
    this.delivered[index] = 1;
    await this.sink(chunk, index * this.file.chunkBytes);
  }

  /** @param {number} index */
  corrupted(index) {
    const { url } = this.remote;
    return new FileCorruptedError(`${url}, chunk ${index}, does not have the SHA-256 of the manifest`, { url, index });
  }

  tooLong() {
    const { url, bytes } = this.remote;
    return new FileTooLongError(`${url} is longer than the ${bytes} bytes of the manifest`, { url });
  }
}

/**
 * @param {Uint8Array} delivered
 * @param {Uint8Array} marks a chunk that has begun stands first: its request goes on in its middle
 * @param {number} most chunks of a run
 * @returns {Run[]} of what is not delivered
 */
function runsOf(delivered, marks, most) {
  /** @type {Run[]} */
  const runs = [];
  for (const [index, done] of delivered.entries()) {
    const last = runs.at(-1);
    if (done) continue;
    const begun = marks[index] > WHOLE;
    if (last && last.end === index && index - last.first < most && !begun) last.end = index + 1;
    else runs.push({ first: index, end: index + 1 });
  }
  return runs;
}
