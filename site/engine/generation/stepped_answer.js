/**
 * An answer of which each token is looked at before the next is chosen: under a constraint, or where its likelihood is
 * wanted. While the page looks, the GPU is already at the next token's logits.
 */

import { constraintOf } from '../constraint/constraints.js';
import { BadArgumentError, throwIfAborted } from '../errors.js';
import { DONE } from '../step.js';
import { Answer } from './answer.js';
import { historyOf } from './history.js';
import { likelihoods, spellerOf } from './log_probabilities.js';
import { logitMaskOf } from './logit_mask.js';

/** @typedef {import('../session.js').Session} Session */
/** @typedef {import('../plan.js').Symbols} Symbols */
/** @typedef {import('./generate.js').GenerateOptions} GenerateOptions */
/**
 * @typedef {object} Looking
 * @property {import('../constraint/constraint.js').Constraint | null} constraint
 * @property {import('./logit_mask.js').LogitMask | null} mask where there is a constraint
 * @property {number | null} likeliest how many tokens are told beside the one taken; null where not even that is
 * @property {import('./log_probabilities.js').Spell} spell
 */

/**
 * @param {Session} session
 * @param {GenerateOptions} options
 * @param {number[]} said of the answer on a device that was lost: the constraint goes on behind it
 * @returns {Promise<Looking>} made before the prompt is read, so that a constraint that cannot be held costs nothing
 */
export async function lookingFor(session, { constraint, logprobs }, said) {
  const held = constraint ? constraintOf(session, constraint) : null;
  for (const id of said) held?.take(id);
  return {
    constraint: held,
    mask: constraint ? await logitMaskOf(session) : null,
    likeliest: logprobs ?? null,
    spell: spellerOf(session.tokenizer),
  };
}

export class SteppedAnswer extends Answer {
  /**
   * @param {Session} session
   * @param {number[]} prompt
   * @param {Symbols} last block of the prompt
   * @param {number} limit
   * @param {Looking} looking
   */
  constructor(session, prompt, last, limit, looking) {
    super(session, prompt, last, limit);
    this.looking = looking;
    this.stopIds = new Set(session.manifest.generation?.stopIds);
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
    const { constraint, mask } = this.looking;
    const allowed = constraint?.mask;
    if (allowed?.every((word) => word === 0)) {
      throw new BadArgumentError('No token of this model can go on with the answer under its constraint');
    }
    const encoder = device.gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    if (allowed) mask?.record(pass, allowed);
    player.record(pass, 'sample', this.symbols);
    pass.end();
    this.settled = false;
    return this.read(encoder);
  }

  /** @param {number} id @param {Float32Array | null} logits that it was drawn from */
  look(id, logits) {
    const { constraint, likeliest, spell } = this.looking;
    if (constraint && !this.stopIds.has(id)) constraint.take(id);
    this.isComplete = constraint?.isComplete === true;
    this.logprobs = logits && likelihoods(logits, id, likeliest ?? 0, spell);
  }
}
