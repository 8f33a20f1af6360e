/** The step: eight words that tell every kernel where in a sequence it is. */

import { STEP_WORDS } from './plan.js';

/** Positions of the words that the engine reads back. */
export const PAST = 1;
export const DONE = 3;
export const GENERATED = 4;

/**
 * @param {{ device: import('./device.js').Device, buffers: import('./buffers.js').Buffers }} session
 * @param {import('./plan.js').Symbols} symbols
 * @param {number} limit most tokens to generate; 0 where nothing is generated
 */
export function writeStep({ device, buffers }, { tokens, past, sequences }, limit) {
  const words = new Uint32Array(STEP_WORDS);
  words.set([tokens, past, sequences, 0, 0, limit]);
  device.gpu.queue.writeBuffer(buffers.step, 0, words);
}
