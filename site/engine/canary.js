/**
 * Asks a model, before anybody else does, what the exporter knows the answer to: a driver that computes wrong reports no
 * error, and its answers are read like any other.
 */

import { WrongResultsError } from './errors.js';

/** @typedef {import('./session.js').Session} Session */
/** @typedef {import('./manifest.js').Tier} Tier */
/**
 * @callback Answer plays the ids of a canary
 * @param {Session} session
 * @param {number[]} ids
 * @param {AbortSignal} signal
 * @returns {Promise<{ rows: Float32Array[], picked: number | null }>} the rows of the output, and what the greedy sampler
 *   picked of the last one, where the task has one
 */

/**
 * How far a value may be off, as a part of the largest of its row. A GPU that is well is within 0.1 % of what onnxruntime
 * computes in float32, and within 5 % in float16: `thistledown verify` holds every plan to that. The manifest's rounding
 * adds 0.1 %. A driver that is not misses by as much as the values are large.
 *
 * @type {Record<Tier, number>}
 */
const TOLERANCE = { base: 1 / 64, subgroups: 1 / 64, f16: 1 / 16 };

/**
 * @param {Float32Array} row
 * @param {import('./canary_format.js').Expected[]} expected
 * @param {number} most that a value may be off
 * @returns {string | null} what is wrong
 */
function faultOf(row, expected, most) {
  // Written so that what is no number is a fault.
  const wrong = expected.find(({ index, value }) => !(Math.abs(row[index] - value) <= most));
  if (wrong) return `value ${wrong.index} is ${row[wrong.index]}, not ${wrong.value}`;
  const largest = Math.max(...expected.map(({ value }) => value));
  const strange = row.findIndex((value) => !(value <= largest + most));
  return strange < 0 ? null : `value ${strange} is ${row[strange]}, above the largest, ${largest}`;
}

/** @param {Float32Array} row @param {number | null} picked @returns {string | null} */
function pickFault(row, picked) {
  if (picked === null || row[picked] === row.reduce((one, other) => Math.max(one, other))) return null;
  return `token ${picked} was picked, which has not the largest logit`;
}

/**
 * @param {Session} session
 * @param {Answer} answer
 * @param {AbortSignal} signal
 * @returns {Promise<number>} ms that it took; 0 where the manifest has no canary
 * @throws {WrongResultsError}
 */
export async function playCanary(session, answer, signal) {
  const { manifest: { canary, name }, plan, device } = session;
  if (!canary) return 0;
  const began = performance.now();
  const { rows, picked } = await answer(session, canary.ids, signal);
  const most = canary.scale * TOLERANCE[plan.tier];
  const faults = canary.rows.map((expected, i) => faultOf(rows[i], expected, most));
  const fault = [...faults, pickFault(rows[rows.length - 1], picked)].find((each) => each !== null);
  if (fault === undefined) return performance.now() - began;
  const { vendor, architecture, description } = device.info;
  const gpu = [vendor, architecture, description].filter(Boolean).join(' ') || 'unknown';
  throw new WrongResultsError(`This GPU's driver (${gpu}) computes wrong: of ${name}, ${fault}`, { gpu, fault });
}
