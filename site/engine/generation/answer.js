/** Makes the ids of an answer: several tokens a submit, and the next submit while the ids of the last are read. */

import { throwIfAborted } from '../errors.js';
import { InFlight } from '../in_flight.js';
import { DONE, GENERATED, PAST } from '../step.js';
import { historyOf } from './history.js';

/** @typedef {import('../session.js').Session} Session */
/** @typedef {import('../plan.js').Symbols} Symbols */

const MOST_PER_SUBMIT = 8;
/** A submit is kept near this long, so that text flows, aborts are quick and other pages can draw. */
const SUBMIT_MS = 40;
/** So many tokens share a submit even where that takes longer, as each submit has a price, but not longer than this. */
const FEW = 4;
const FEW_MS = 250;

/** How many tokens the next submit makes: one at first, then as many as are made in a short time. */
export class Pace {
  /** @param {number} most @param {() => number} [clock] */
  constructor(most, clock = () => performance.now()) {
    this.most = most;
    this.clock = clock;
    this.tokens = 1;
    this.since = clock();
  }

  /** @param {number} tokens that just came */
  came(tokens) {
    const now = this.clock();
    const each = (now - this.since) / tokens;
    const least = each * FEW <= FEW_MS ? FEW : 1;
    const wanted = Math.max(least, Math.min(Math.floor(SUBMIT_MS / each), this.tokens * 2));
    this.tokens = Math.min(this.most, wanted);
    this.since = now;
  }
}

/** One answer on its way. */
export class Answer {
  /**
   * @param {Session} session
   * @param {number[]} prompt
   * @param {Symbols} last block of the prompt
   * @param {number} limit
   */
  constructor(session, prompt, last, limit) {
    this.session = session;
    this.last = last;
    this.limit = limit;
    this.ring = session.buffers.get('ring');
    this.ringLength = this.ring.size / 4;
    this.pace = new Pace(Math.min(MOST_PER_SUBMIT, this.ringLength));
    this.submitted = 0;
    this.taken = 0;
    /** Ids that the states have seen, or will have. */
    this.seen = [...prompt];
    this.past = 0;
    /** The answer is whole though no end token came. */
    this.isComplete = false;
    /** @type {import('./text_stream.js').Likelihoods | null} of the id that came last, where they are wanted */
    this.logprobs = null;
  }

  /** @returns {Promise<Uint32Array>} step, then ring */
  submit() {
    const { device } = this.session;
    const encoder = device.gpu.createCommandEncoder();
    const count = this.submitted === 0 ? 1 : Math.min(this.pace.tokens, this.limit - this.submitted);
    const pass = encoder.beginComputePass();
    for (let i = 0; i < count; i++) this.recordToken(pass);
    pass.end();
    return this.read(encoder);
  }

  /** @param {GPUCommandEncoder} encoder @returns {Promise<Uint32Array>} step, then ring */
  read(encoder) {
    const { buffers, readback } = this.session;
    const sources = [buffers.step, this.ring].map((from) => ({ from, bytes: from.size }));
    return readback.submit(encoder, sources).then((bytes) => new Uint32Array(bytes));
  }

  /** @param {GPUComputePassEncoder} pass */
  recordToken(pass) {
    const { player } = this.session;
    const past = this.last.past + this.last.tokens + this.submitted - 1;
    const symbols = this.submitted === 0 ? this.last : { tokens: 1, past, sequences: 1 };
    player.record(pass, this.submitted === 0 ? 'head' : 'decode', symbols);
    player.record(pass, 'sample', symbols);
    this.submitted += 1;
  }

  /** @param {Uint32Array} words step, then ring @returns {number[]} ids not taken before */
  take(words) {
    const ring = words.subarray(words.length - this.ringLength);
    const ids = [];
    for (; this.taken < words[GENERATED]; this.taken++) ids.push(ring[this.taken % this.ringLength]);
    if (ids.length > 0) this.pace.came(ids.length);
    this.seen.push(...ids);
    this.past = words[PAST];
    return ids;
  }

  /**
   * @param {AbortSignal} signal
   * @returns {AsyncGenerator<number[]>} ids as they come, the stop id too
   */
  async *blocks(signal) {
    const { slots } = this.session.readback;
    /** @type {InFlight<Uint32Array>} */
    const submits = new InFlight();
    try {
      for (let done = false; !done;) {
        while (submits.size < slots && this.submitted < this.limit) submits.push(this.submit());
        const words = await submits.take();
        const ids = this.take(words);
        throwIfAborted(signal);
        yield ids;
        done = words[DONE] !== 0;
      }
    } finally {
      await this.finish(submits);
    }
  }

  /**
   * Whoever leaves early, for an abort or a stop text, leaves tokens under way: the states see those as well.
   *
   * @param {InFlight<Uint32Array>} submits
   */
  async finish(submits) {
    try {
      while (submits.size > 0) this.take(await submits.take());
      historyOf(this.session).hold(this.seen.slice(0, this.past));
    } catch {
      // The device is lost: what the states hold stays unknown, and the next call says why.
      await submits.drain();
    }
  }
}
