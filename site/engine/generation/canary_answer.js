/** The known answer of a generator: the logits after a prompt, and after one token more that is decoded. */

import { writeStep } from '../step.js';
import { historyOf } from './history.js';
import { prefill } from './prefill.js';
import { writeSampling } from './sampling.js';

/** @typedef {import('../session.js').Session} Session */

const GREEDY = { temperature: 0, topK: 0, topP: 1, seed: 0 };

/**
 * @param {Session} session
 * @param {string} phase
 * @param {import('../plan.js').Symbols} symbols
 * @returns {Promise<Float32Array>} logits
 */
async function logitsOf({ device, player, buffers, manifest, logitsReadback }, phase, symbols) {
  const encoder = device.gpu.createCommandEncoder();
  player.play(encoder, phase, symbols);
  const source = { from: buffers.get('logits'), bytes: manifest.vocabulary * 4 };
  const readback = /** @type {import('../readback.js').Readback} */ (logitsReadback);
  return new Float32Array(await readback.submit(encoder, [source]));
}

/** @param {Session} session @param {import('../plan.js').Symbols} symbols @returns {Promise<number>} the sampler's token */
async function pick({ device, player, buffers, readback }, symbols) {
  const encoder = device.gpu.createCommandEncoder();
  player.play(encoder, 'sample', symbols);
  const [token] = new Uint32Array(await readback.submit(encoder, [{ from: buffers.get('ring'), bytes: 4 }]));
  return token;
}

/** @type {import('../canary.js').Answer} */
export async function answer(session, ids, signal) {
  const [prompt, next] = [ids.slice(0, -1), ids.slice(-1)];
  writeSampling(session, GREEDY);
  const { last } = await prefill(session, prompt, { limit: 1, signal });
  const first = await logitsOf(session, 'head', last);
  // The token is given, not what the model would say, so that a near tie does not decide what comes after it.
  const symbols = { tokens: 1, past: prompt.length, sequences: 1 };
  session.device.gpu.queue.writeBuffer(session.buffers.get('ids'), 0, Uint32Array.from(next));
  writeStep(session, symbols, 1);
  const second = await logitsOf(session, 'decode', symbols);
  const picked = await pick(session, symbols);
  historyOf(session).forget();
  return { rows: [first, second], picked };
}
