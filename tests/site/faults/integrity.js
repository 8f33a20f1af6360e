/** Bits that flip and files that end early, in what is kept and in what is sent: each must be caught before its bytes are used. */

import { sha256 } from '/engine/hashing.js';
import { Locks } from './locks.js';
import { withVersion } from './judge.js';
import { makeModel } from './models.js';
import { isSame, PLACES, Visit } from './visit.js';

const CHUNK_BYTES = 4 * 2 ** 20;

/** @param {number} seed @returns {(below: number) => number} the same numbers every time */
function randomOf(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** @param {Uint8Array} bytes @param {(below: number) => number} random */
function withFlip(bytes, random) {
  const copy = bytes.slice();
  copy[random(copy.length)] ^= 1 << random(8);
  return copy;
}

/**
 * @param {{ count: number, seed: number }} options
 * @param {(bytes: Uint8Array, random: (below: number) => number) => Uint8Array} spoil
 * @returns {Promise<{ count: number, caught: number }>} half of them in the store, half on their way
 */
async function spoiling({ count, seed }, spoil) {
  Object.defineProperty(navigator, 'locks', { value: new Locks(), configurable: true });
  const random = randomOf(seed);
  const model = await makeModel('one');
  const whole = await withVersion(model, 'opfs');
  const [data] = whole.spots().filter((spot) => spot.endsWith('.data'));
  const right = whole.files.get(data);
  let caught = 0;
  for (let turn = 0; turn < count; turn++) {
    caught += Number(turn % 2 === 0 ? await caughtInStore(model, whole, data, spoil(right, random)) : await caughtOnTheWay(model, spoil, random));
  }
  return { count, caught };
}

/** @returns {Promise<boolean>} whether it is fetched instead */
async function caughtInStore(model, whole, spot, spoilt) {
  whole.spoil(spot, () => spoilt);
  const visit = new Visit(model, { place: 'opfs', kept: whole });
  const { code, wrong } = await visit.outcome();
  return code === 'none' && wrong.length === 0 && visit.progress.fetched === model.total && isSame(whole.files.get(spot), model.bytes.get(model.files[0].file));
}

/** @returns {Promise<boolean>} whether it is fetched once more */
async function caughtOnTheWay(model, spoil, random) {
  const visit = new Visit(model, { place: 'opfs', kept: PLACES.opfs.make() });
  const answer = visit.network.answer.bind(visit.network);
  visit.network.answer = (url, range) => {
    const plan = answer(url, range);
    return visit.network.requests === 1 ? { ...plan, body: spoil(plan.body, random) } : plan;
  };
  const { code, wrong } = await visit.outcome();
  return code === 'none' && wrong.length === 0 && visit.network.requests === 2;
}

/** @param {{ count: number, seed: number }} options */
export function bitFlips(options) {
  return spoiling(options, withFlip);
}

/** @param {{ count: number, seed: number }} options */
export function truncations(options) {
  return spoiling(options, (bytes, random) => bytes.slice(0, random(bytes.length)));
}

/** @returns {Promise<{ secondsPerGib: number }>} of hashing chunk by chunk, as a download does */
export async function hashing() {
  const chunk = new Uint8Array(CHUNK_BYTES);
  const chunks = 32;
  const begun = performance.now();
  for (let turn = 0; turn < chunks; turn++) await sha256(chunk);
  return { secondsPerGib: ((performance.now() - begun) / 1000) * (2 ** 30 / (CHUNK_BYTES * chunks)) };
}
