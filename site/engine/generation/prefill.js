/** Plays a prompt, block by block, from what the states hold of it; and, for tests and tools, the logits after it. */

import { BadArgumentError, throwIfAborted } from '../errors.js';
import { InFlight } from '../in_flight.js';
import { FEW_TOKENS } from '../plan.js';
import { writeStep } from '../step.js';
import { historyOf } from './history.js';
import { PrefillPace } from './prefill_pace.js';

/** @typedef {import('../session.js').Session} Session */
/** @typedef {import('../plan.js').Symbols} Symbols */
/** @typedef {import('./history.js').Beginning} Beginning */
/** @typedef {{ blocks?: number[], limit: number, signal: AbortSignal }} PrefillOptions blocks add up to what is played */

const MOST_UNDER_WAY = 2;

/** @typedef {{ usual: PrefillPace, few: PrefillPace }} Paces of large blocks and of those of FEW_TOKENS or less */

/** @type {WeakMap<Session, Paces>} what is learned of a device is of use for every later prompt */
const paces = new WeakMap();

/** @param {Session} session @returns {Paces} */
export function pacesOf(session) {
  const { plan } = session;
  const found = paces.get(session) ?? { usual: PrefillPace.of(plan, false), few: PrefillPace.of(plan, true) };
  paces.set(session, found);
  return found;
}

/** One prompt on its way. */
class Prefill {
  /**
   * @param {Session} session
   * @param {number[]} ids
   * @param {PrefillOptions} options
   */
  constructor(session, ids, { blocks, limit, signal }) {
    this.session = session;
    this.ids = Uint32Array.from(ids);
    this.blocks = blocks && [...blocks];
    this.limit = limit;
    this.signal = signal;
    this.history = historyOf(session);
    this.paces = pacesOf(session);
    /** @type {InFlight<void>} */
    this.plays = new InFlight();
    /** When the GPU was done with the latest submit. */
    this.free = 0;
  }

  /** @param {Beginning} beginning @returns {Promise<Symbols>} of the last block */
  async play({ from, restore }) {
    let symbols = { tokens: 0, past: from, sequences: 1 };
    for (let past = from; past < this.ids.length; past += symbols.tokens) {
      symbols = { tokens: this.nextBlock(past), past, sequences: 1 };
      await this.playBlock(symbols, restore && past === from);
    }
    return symbols;
  }

  /** @param {number} past @returns {number} tokens */
  nextBlock(past) {
    const left = this.ids.length - past;
    return this.blocks?.shift() ?? this.paces.usual.tokens(left, this.session.plan.symbols.tokens);
  }

  /** @param {Symbols} block @returns {PrefillPace} */
  paceFor({ tokens }) {
    return tokens <= FEW_TOKENS ? this.paces.few : this.paces.usual;
  }

  /** @param {Symbols} symbols @param {boolean} restore the snapshot first */
  async playBlock(symbols, restore) {
    const { past, tokens } = symbols;
    this.session.device.gpu.queue.writeBuffer(this.session.buffers.get('ids'), 0, this.ids, past, tokens);
    writeStep(this.session, symbols, this.limit);
    const pace = this.paceFor(symbols);
    for (let first = 0; first < pace.kernels.length;) {
      await this.leave(MOST_UNDER_WAY - 1);
      const end = pace.end(first, tokens);
      if (pace.expected(first, end) === Infinity) await this.leave(0);
      this.plays.push(this.submit(symbols, first, end, restore));
      first = end;
    }
  }

  /** @param {number} most submits that may still be under way; a kernel's first time is only true where there is none */
  async leave(most) {
    while (this.plays.size > most) await this.plays.take();
    throwIfAborted(this.signal);
  }

  /** @param {Symbols} symbols @param {number} first @param {number} end @param {boolean} restore */
  async submit(symbols, first, end, restore) {
    const { device, player } = this.session;
    const encoder = device.gpu.createCommandEncoder();
    if (first === 0) this.readyStates(encoder, symbols, restore);
    player.play(encoder, 'prefill', symbols, first, end);
    const began = performance.now();
    device.gpu.queue.submit([encoder.finish()]);
    await device.settle(device.gpu.queue.onSubmittedWorkDone());
    const now = performance.now();
    this.paceFor(symbols).took(first, end, symbols.tokens, now - Math.max(began, this.free));
    this.free = now;
  }

  /** @param {GPUCommandEncoder} encoder @param {Symbols} block @param {boolean} restore */
  readyStates(encoder, { past, tokens }, restore) {
    if (past === 0) for (const state of this.session.buffers.states) encoder.clearBuffer(state);
    if (restore) this.history.restore(encoder);
    // Before the last block: a prompt that is asked again, or with another end, has something left to play.
    else if (past > 0 && past + tokens === this.ids.length) this.history.save(encoder, past);
  }
}

/**
 * Each submit is short and few are under way: a long prompt neither trips a watchdog, nor keeps other pages from
 * drawing, nor outruns an abort.
 *
 * @param {Session} session
 * @param {number[]} ids at least one
 * @param {PrefillOptions} options
 * @returns {Promise<{ last: Symbols, reused: number }>} the last block, and how many ids the states held already
 */
export async function prefill(session, ids, options) {
  const beginning = historyOf(session).begin(ids);
  const last = await new Prefill(session, ids, options).play(beginning);
  return { last, reused: beginning.from };
}

/**
 * @param {Session} session
 * @param {number[]} ids at least one
 * @param {Omit<PrefillOptions, 'limit'>} options
 * @returns {Promise<Symbols>} the last block: all are played, from empty states
 */
export async function readAnew(session, ids, options) {
  const history = historyOf(session);
  history.forget();
  const { last } = await prefill(session, ids, { ...options, limit: 0 });
  history.hold(ids);
  return last;
}

/**
 * @param {Session} session of a text-generation model
 * @param {number[]} ids
 * @param {number[] | undefined} blocks their sizes; what fits unless said
 * @param {AbortSignal} signal
 * @returns {Promise<Float32Array<ArrayBuffer>>} logits [vocabulary] after the last id, from empty states
 */
export async function logits(session, ids, blocks, signal) {
  const { device, buffers, player, plan, manifest } = session;
  if (blocks?.some((size) => size > plan.symbols.tokens)) throw new BadArgumentError('split has a block too large');
  const last = await readAnew(session, ids, { blocks, signal });
  const encoder = device.gpu.createCommandEncoder();
  player.play(encoder, 'head', last);
  const source = { from: buffers.get('logits'), bytes: manifest.vocabulary * 4 };
  const readback = /** @type {import('../readback.js').Readback} */ (session.logitsReadback);
  return new Float32Array(await readback.submit(encoder, [source]));
}
