/** Plays a prompt, block by block, from an empty state; and, for tests and tools, the logits after it. */

import { BadArgumentError, throwIfAborted } from '../errors.js';
import { InFlight } from '../in_flight.js';
import { writeStep } from '../step.js';

/** @typedef {import('../session.js').Session} Session */
/** @typedef {import('../plan.js').Symbols} Symbols */

const MOST_UNDER_WAY = 2;

/**
 * @param {number} length
 * @param {number} largest
 * @returns {number[]} block sizes
 */
export function evenBlocks(length, largest) {
  const full = Array.from({ length: Math.floor(length / largest) }, () => largest);
  return length % largest === 0 ? full : [...full, length % largest];
}

/** @param {Session} session @param {Uint32Array<ArrayBuffer>} ids @param {Symbols} symbols @param {number} limit */
function playBlock(session, ids, symbols, limit) {
  const { device, buffers, player } = session;
  device.gpu.queue.writeBuffer(buffers.get('ids'), 0, ids);
  writeStep(session, symbols, limit);
  const encoder = device.gpu.createCommandEncoder();
  if (symbols.past === 0) for (const state of buffers.states) encoder.clearBuffer(state);
  player.play(encoder, 'prefill', symbols);
  device.gpu.queue.submit([encoder.finish()]);
  return device.settle(device.gpu.queue.onSubmittedWorkDone());
}

/**
 * Each block is a submit of its own, few under way: a long prompt neither trips a watchdog nor outruns an abort.
 *
 * @param {Session} session
 * @param {number[]} ids at least one
 * @param {{ blocks: number[], limit: number, signal: AbortSignal }} options blocks add up to the length of ids
 * @returns {Promise<Symbols>} of the last block
 */
export async function prefill(session, ids, { blocks, limit, signal }) {
  const words = Uint32Array.from(ids);
  let symbols = { tokens: 0, past: 0, sequences: 1 };
  /** @type {InFlight<void>} */
  const plays = new InFlight();
  for (const tokens of blocks) {
    throwIfAborted(signal);
    symbols = { tokens, past: symbols.past + symbols.tokens, sequences: 1 };
    plays.push(playBlock(session, words.slice(symbols.past, symbols.past + tokens), symbols, limit));
    if (plays.size === MOST_UNDER_WAY) await plays.take();
  }
  return symbols;
}

/**
 * @param {Session} session of a text-generation model
 * @param {number[]} ids
 * @param {number[] | undefined} split block sizes; the largest blocks unless said
 * @param {AbortSignal} signal
 * @returns {Promise<Float32Array<ArrayBuffer>>} logits [vocabulary] after the last id
 */
export async function logits(session, ids, split, signal) {
  const { device, buffers, player, plan, manifest } = session;
  const blocks = split ?? evenBlocks(ids.length, plan.symbols.tokens);
  if (blocks.some((size) => size > plan.symbols.tokens)) throw new BadArgumentError('split has a block too large');
  const symbols = await prefill(session, ids, { blocks, limit: 0, signal });
  const encoder = device.gpu.createCommandEncoder();
  player.play(encoder, 'head', symbols);
  const source = { from: buffers.get('logits'), bytes: manifest.vocabulary * 4 };
  const readback = /** @type {import('../readback.js').Readback} */ (session.logitsReadback);
  return new Float32Array(await readback.submit(encoder, [source]));
}
