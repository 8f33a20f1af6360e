/**
 * Finds the fastest way of each choice on this device: times dispatches of the plan itself, within a budget of time.
 * What runs are single dispatches out of their order, so all that they leave behind is cleared at the end.
 */

import { throwIfAborted } from '../errors.js';
import { FEW_TOKENS } from '../plan.js';
import { add } from '../player.js';
import { writeStep } from '../step.js';

/** @typedef {import('../plan.js').Plan} Plan */
/** @typedef {import('../plan.js').Symbols} Symbols */
/** @typedef {import('../player.js').ReadyDispatch} ReadyDispatch */
/**
 * Dispatches of one shape, of as many layers as there are: one weight over and over would come out of a cache.
 *
 * @typedef {object} Candidate
 * @property {ReadyDispatch[][]} ways way -> the dispatches
 * @property {Symbols} symbols
 * @property {number} cost in no unit: weights read times tokens
 */
/**
 * @typedef {object} Bench
 * @property {(candidate: Candidate, way: number, repeats: number) => Promise<number>} time in ms
 * @property {() => number} now in ms
 */

/** For all families together; a trial that has begun by then is still waited for. */
const BUDGET_MS = 240;
/** Long enough that the way to the GPU and back, a fraction of a millisecond, does not decide. */
const TRIAL_MS = 5;
const ROUNDS = 3;
const MOST_REPEATS = 256;
/** What a way must gain to replace the default. */
const GAIN = 0.03;
const SHORT_BLOCK = 64;

/** @param {number[]} times @returns {number} */
function median(times) {
  return times.sort((a, b) => a - b)[times.length >> 1];
}

/** @param {number[][]} times way -> measured @returns {number} the fastest way; the default unless another clearly is */
function fastest(times) {
  const medians = times.map(median);
  const least = Math.min(...medians);
  return least < medians[0] * (1 - GAIN) ? medians.indexOf(least) : 0;
}

/**
 * Wakes every way up on the lightest candidate, whose time then tells which candidate fits.
 *
 * @param {Bench} bench
 * @param {Candidate[]} candidates by cost
 * @param {number} until
 * @returns {Promise<Candidate>} the heaviest of which each way can be timed ROUNDS times, and once more, until then
 */
async function choose(bench, candidates, until) {
  const [lightest] = candidates;
  const ways = lightest.ways.length;
  for (let way = 1; way < ways && bench.now() < until; way++) await bench.time(lightest, way, 1);
  if (bench.now() < until) await bench.time(lightest, 0, 1);
  const once = bench.now() < until ? await bench.time(lightest, 0, 1) : Infinity;
  const share = (until - bench.now()) / (ways * (ROUNDS + 1));
  return candidates.findLast(({ cost }) => (cost / lightest.cost) * once <= share) ?? lightest;
}

/** @param {Bench} bench @param {Candidate} candidate @param {number} until @returns {Promise<number>} repeats a trial */
async function enough(bench, candidate, until) {
  const share = (until - bench.now()) / (candidate.ways.length * (ROUNDS + 2));
  const wanted = Math.min(TRIAL_MS, share);
  for (let repeats = 1; ;) {
    if (repeats >= MOST_REPEATS || bench.now() >= until) return repeats;
    const ms = await bench.time(candidate, 0, repeats);
    if (ms >= wanted) return repeats;
    repeats = Math.ceil(repeats * Math.min(4, (1.2 * wanted) / ms));
  }
}

/**
 * @param {Bench} bench
 * @param {Candidate[]} candidates by cost
 * @param {number} until
 * @returns {Promise<number | null>} the fastest way; null where the time did not suffice to know each
 */
async function decide(bench, candidates, until) {
  const candidate = await choose(bench, candidates, until);
  const repeats = await enough(bench, candidate, until);
  /** @type {number[][]} */
  const times = candidate.ways.map(() => []);
  for (let trial = 0; trial < times.length * ROUNDS && bench.now() < until; trial++) {
    const way = trial % times.length;
    times[way].push(await bench.time(candidate, way, repeats));
  }
  return times.every(({ length }) => length > 0) ? fastest(times) : null;
}

/**
 * @param {Bench} bench
 * @param {Candidate[][]} families
 * @returns {Promise<(number | null)[]>} the way of each; null where the time did not suffice
 */
export async function decideAll(bench, families) {
  const end = bench.now() + BUDGET_MS;
  const found = [];
  for (const [i, candidates] of families.entries()) {
    const share = (end - bench.now()) / (families.length - i);
    const known = candidates.length > 0 && share > 0;
    found.push(known ? await decide(bench, candidates, bench.now() + share) : null);
  }
  return found;
}

/** @param {string} phase @param {boolean} few @param {Symbols} most @returns {Symbols[]} to time its dispatches with */
function symbolsFor(phase, few, { tokens, past }) {
  if (!['prefill', 'encode'].includes(phase)) return [{ tokens: 1, past: past >> 1, sequences: 1 }];
  const blocks = new Set(few ? [Math.min(FEW_TOKENS, tokens)] : [Math.min(SHORT_BLOCK, tokens), tokens]);
  return [...blocks].map((block) => ({ tokens: block, past: 0, sequences: 1 }));
}

/** @param {Plan['phases']} phases @param {string} family @returns what of it is called, with its phase and its binds */
function callsOf(phases, family) {
  const calls = Object.entries(phases).flatMap(([phase, dispatches]) => dispatches.flatMap((dispatch) => [
    { phase, few: false, bind: dispatch.bind, call: dispatch },
    ...(dispatch.few ? [{ phase, few: true, bind: dispatch.bind, call: dispatch.few }] : []),
  ]));
  return calls.filter(({ call }) => call.family === family);
}

/** @param {Plan} plan @param {string} family @param {import('../player.js').Binder} binder @returns {Candidate[]} by cost */
function candidatesOf({ phases, symbols, buffers }, family, binder) {
  /** @type {Map<string, Candidate>} */
  const found = new Map();
  for (const { phase, few, bind, call: { ways } } of callsOf(phases, family)) {
    const weights = bind.filter(({ buffer }) => buffers[buffer].kind === 'weight');
    const bytes = weights.reduce((sum, each) => sum + each.bytes, 1);
    for (const some of symbolsFor(phase, few, symbols)) {
      const key = JSON.stringify([ways, some]);
      const fresh = { ways: ways.map(() => []), symbols: some, cost: bytes * some.tokens };
      const candidate = found.get(key) ?? fresh;
      ways.forEach((way, i) => candidate.ways[i].push(binder.ready(bind, way)));
      found.set(key, candidate);
    }
  }
  return [...found.values()].sort((a, b) => a.cost - b.cost);
}

/**
 * @param {{ device: import('../device.js').Device, buffers: import('../buffers.js').Buffers }} parts
 * @param {AbortSignal} signal
 * @returns {Bench}
 */
function benchOn({ device, buffers }, signal) {
  const { queue } = device.gpu;
  return {
    now: () => performance.now(),
    async time({ ways, symbols }, way, repeats) {
      throwIfAborted(signal);
      writeStep({ device, buffers }, symbols, 0);
      const encoder = device.gpu.createCommandEncoder();
      const pass = encoder.beginComputePass();
      for (let i = 0; i < repeats; i++) add(pass, ways[way][i % ways[way].length], symbols);
      pass.end();
      const began = performance.now();
      queue.submit([encoder.finish()]);
      await device.settle(queue.onSubmittedWorkDone());
      return performance.now() - began;
    },
  };
}

/**
 * @param {Plan} plan
 * @param {string[]} families whose kernels are compiled in all ways
 * @param {{ device: import('../device.js').Device, buffers: import('../buffers.js').Buffers,
 *   binder: import('../player.js').Binder }} parts
 * @param {AbortSignal} signal
 * @returns {Promise<import('./choices.js').Picks>} of the families that could be decided in the time
 */
export async function tune(plan, families, parts, signal) {
  const { device, buffers, binder } = parts;
  const candidates = await device.guarded('Binding the buffers', () =>
    families.map((family) => candidatesOf(plan, family, binder)));
  const found = await decideAll(benchOn(parts, signal), candidates);
  const encoder = device.gpu.createCommandEncoder();
  for (const state of buffers.states) encoder.clearBuffer(state);
  device.gpu.queue.submit([encoder.finish()]);
  writeStep({ device, buffers }, { tokens: 0, past: 0, sequences: 0 }, 0);
  return Object.fromEntries(families.flatMap((family, i) => {
    const way = found[i];
    return way === null ? [] : [[family, plan.choices[family][way]]];
  }));
}
