/**
 * Fails the Nth operation of a download, for every N until it passes: once, lastingly until it is healed, or as the death of
 * the process. A worker that is asked for the jobs there are, and then for one after the other.
 */

import { CACHE_FAULTS } from './cache.js';
import { DISK_FAULTS } from './disk.js';
import { bitFlips, hashing, truncations } from './integrity.js';
import { NETWORK_FAULTS } from './network.js';
import { play, SPOIL_FAULTS } from './scenarios.js';
import { PLACES } from './visit.js';

const MOST_FAILURES = 20;
const PAGE_FAULTS = ['aborted', 'paused', 'offline', 'forgotten'];
const FORMS = { opfs: ['thrown', 'negative'], cache: ['thrown'] };

/** @typedef {Omit<import('./scenarios.js').Order, 'at'> & { scenario: string }} Job all its cases, one for each `at` */

/** @param {string} scenario @param {string} place @param {string} shape @returns {Job[]} with every fault and mode */
function withFaults(scenario, place, shape) {
  const job = (fault, where, mode) => ({ scenario, place, shape, fault, where, mode });
  const storage = place === 'cache' ? CACHE_FAULTS : DISK_FAULTS;
  return [
    ...storage.flatMap((fault) => ['once', 'lasting'].map((mode) => job(fault, 'disk', mode))),
    ...NETWORK_FAULTS.flatMap((fault) => ['once', 'lasting'].map((mode) => job(fault, 'network', mode))),
    ...PAGE_FAULTS.map((fault) => job(fault, 'page', 'once')),
    ...deaths(scenario, place, shape),
  ];
}

/** @returns {Job[]} death at every operation */
function deaths(scenario, place, shape) {
  return ['disk', 'network'].map((where) => ({ scenario, place, shape, fault: 'death', where, mode: 'death' }));
}

/** @returns {Job[]} what holds a page up, at every operation */
function delays(scenario, place, shape) {
  return ['paused', 'offline'].map((fault) => ({ scenario, place, shape, fault, where: 'page', mode: 'once' }));
}

/** @returns {Job[]} */
function jobs() {
  const places = ['opfs', 'cache'];
  return [
    ...places.flatMap((place) => ['usual', 'tails'].flatMap((shape) => withFaults('single', place, shape))),
    ...places.flatMap((place) => withFaults('update', place, 'usual')),
    ...withFaults('tabs', 'opfs', 'usual'),
    ...['opfs without modes', 'cache'].flatMap((place) => deaths('tabs', place, 'usual')),
    ...Object.keys(PLACES).map((place) => ({ scenario: 'cold', place, shape: 'usual', fault: 'several tabs', where: 'page', mode: 'once' })),
    ...places.flatMap((place) => [...deaths('versions', place, 'usual'), ...delays('versions', place, 'usual')]),
    ...places.flatMap((place) => FORMS[place].flatMap((fault) => ['fresh', 'update'].map((mode) => (
      { scenario: 'quota', place, shape: 'usual', fault, where: 'disk', mode })))),
    ...places.flatMap((place) => SPOIL_FAULTS.flatMap((fault) => ['once', 'lasting'].map((mode) => (
      { scenario: 'spoilt', place, shape: 'usual', fault, where: 'disk', mode })))),
    ...withFaults('single', 'opfs', 'begun'),
    ...deaths('tabs', 'opfs', 'begun'),
  ];
}

/**
 * @param {{ job: Job, first: number, every: number }} options of the job's cases, which
 * @returns {Promise<{ cases: number, codes: Record<string, number>, failures: string[] }>}
 */
async function run({ job, first, every }) {
  const codes = {};
  const failures = [];
  let cases = 0;
  for (let at = first; ; at += every) {
    const { wrong, code, met } = await play({ ...job, at });
    const said = [...wrong, ...unhandled.splice(0)].map((what) => `${Object.values({ ...job, at }).join(', ')}: ${what}`);
    failures.push(...said.slice(0, MOST_FAILURES - failures.length));
    if (!met) return { cases, codes, failures };
    cases += 1;
    codes[code] = (codes[code] ?? 0) + 1;
  }
}

/** @type {string[]} */
const unhandled = [];
addEventListener('unhandledrejection', (event) => unhandled.push(`unhandled ${event.reason}`));

const METHODS = { jobs, run, bitFlips, truncations, hashing };

globalThis.onmessage = async ({ data: { method, options } }) => {
  try {
    globalThis.postMessage({ value: await METHODS[method](options) });
  } catch (cause) {
    globalThis.postMessage({ error: String(cause?.stack ?? cause) });
  }
};
