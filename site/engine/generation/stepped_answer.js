/**
 * An answer of which each token is looked at before the next is chosen: under a constraint, or where its likelihood is
 * wanted. While the page looks, the GPU is already at the next token's logits.
 */

import { throwIfAborted } from '../errors.js';
import { DONE } from '../step.js';
import { Answer } from './answer.js';
import { historyOf } from './history.js';
import { logitMaskOf } from './logit_mask.js';
import { lookingFor } from './looking.js';

/** @typedef {import('../session.js').Session} Session */
/** @typedef {import('../plan.js').Symbols} Symbols */
/** @typedef {import('./generate.js').GenerateOptions} GenerateOptions */
/** @typedef {{ looking: import('./looking.js').Looking, mask: import('./logit_mask.js').LogitMask | null }} Stepping */

/**
 * @param {Session} session
 * @param {GenerateOptions} options
 * @param {number[]} said of the answer on a device that was lost
 * @returns {Promise<Stepping>} `mask` where there is a constraint
 */
export async function steppingFor(session, options, said) {
  const looking = lookingFor(session, options, said);
  return { looking, mask: looking.constraint && (await logitMaskOf(session)) };
}

export class SteppedAnswer extends Answer {
  /**
   * @param {Session} session
   * @param {number[]} prompt
   * @param {Symbols} last block of the prompt
   * @param {number} limit
   * @param {Stepping} stepping
   */
  constructor(session, prompt, last, limit, { looking, mask }) {
    super(session, prompt, last, limit);
    this.looking = looking;
    this.mask = mask;
    this.symbols = last;
    /** @type {Promise<ArrayBuffer> | null} of the token that comes next, where they are wanted */
    this.logits = null;
    /** What the states have seen is known: no sampling is under way. */
    this.settled = true;
    /** Tokens that the states will have seen, and that `past` does not count before the next is sampled. */
    this.ahead = 0;
  }

  /** @override @param {AbortSignal} signal @returns {AsyncGenerator<number[]>} one id at a time */
  async *blocks(signal) {
    try {
      this.playNext();
      for (let done = false; !done;) {
        const [id, stopped] = await this.next(signal);
        yield [id];
        done = stopped || this.isComplete;
      }
    } finally {
      await this.logits?.catch(() => undefined);
      if (this.settled) historyOf(this.session).hold(this.seen.slice(0, this.past + this.ahead));
    }
  }

  /** @param {AbortSignal} signal @returns {Promise<[number, boolean]>} a token, and whether it is the last */
  async next(signal) {
    const sampling = this.sample();
    sampling.catch(() => undefined);
    const logits = this.logits && new Float32Array(await this.logits);
    if (this.submitted < this.limit) this.playNext();
    const words = await sampling;
    const [id] = this.take(words);
    const stopped = words[DONE] !== 0;
    this.ahead = stopped ? 0 : 1;
    this.settled = true;
    throwIfAborted(signal);
    this.look(id, logits);
    return [id, stopped];
  }

  /** The logits of the next token. */
  playNext() {
    const { device, player, buffers, manifest, logitsReadback } = this.session;
    const first = this.submitted === 0;
    const past = this.last.past + this.last.tokens + this.submitted - 1;
    this.symbols = first ? this.last : { tokens: 1, past, sequences: 1 };
    const encoder = device.gpu.createCommandEncoder();
    player.play(encoder, first ? 'head' : 'decode', this.symbols);
    this.submitted += 1;
    if (this.looking.likeliest === null) return device.gpu.queue.submit([encoder.finish()]);
    const source = { from: buffers.get('logits'), bytes: manifest.vocabulary * 4 };
    this.logits = /** @type {import('../readback.js').Readback} */ (logitsReadback).submit(encoder, [source]);
    this.logits.catch(() => undefined);
  }

  /** @returns {Promise<Uint32Array>} step, then ring, with one token more */
  sample() {
    const { device, player } = this.session;
    const { allowed } = this.looking;
    const encoder = device.gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    if (allowed) this.mask?.record(pass, allowed);
    player.record(pass, 'sample', this.symbols);
    pass.end();
    this.settled = false;
    return this.read(encoder);
  }

  /** @param {number} id @param {Float32Array | null} logits that it was drawn from */
  look(id, logits) {
    this.logprobs = this.looking.look(id, logits);
    this.isComplete = this.looking.isComplete;
  }
}
