/** Counts what the engines ask of WebGPU, in the page and, by way of a wrapped worker, in our engine's worker. */

import { counts, countHere } from './gpu_counts.js';

const WRAPPER = '/bench-peers/page/counted_worker.js';
/** A worker answers between two tasks of its own. */
const PATIENCE_MS = 5000;
let workers = 0;
const CHANNEL = new BroadcastChannel('bench-gpu-calls');

export { now } from './gpu_counts.js';

/** From now on everything is counted; before any engine is opened. */
export function startCounting() {
  countHere();
  const Plain = Worker;
  globalThis.Worker = /** @type {any} */ (class extends Plain {
    /** @param {string | URL} address @param {WorkerOptions} [options] */
    constructor(address, options) {
      const ours = String(address).endsWith('/engine/worker.js');
      super(ours ? WRAPPER : address, options);
      if (ours) workers += 1;
    }
  });
}

/** @typedef {{ counts: Record<string, number>, readTimes: number[] }} Report */

/** @returns {Promise<Report[]>} of the workers that are alive */
async function workerReports() {
  /** @type {Report[]} */
  const found = [];
  if (workers === 0) return found;
  const answered = new Promise((done) => {
    CHANNEL.onmessage = ({ data }) => {
      if (!data.counts) return;
      found.push(data);
      if (found.length === workers) done(undefined);
    };
    setTimeout(done, PATIENCE_MS);
  });
  CHANNEL.postMessage({ ask: true });
  await answered;
  return found;
}

/** @returns {Promise<Record<string, number>>} of the page and its workers */
async function all() {
  const found = { ...counts };
  for (const report of await workerReports()) {
    for (const [name, count] of Object.entries(report.counts)) found[name] = (found[name] ?? 0) + count;
  }
  return found;
}

/** @param {number} began in `now` @returns {Promise<number[]>} when workers have read results since, in order */
export async function readTimesSince(began) {
  const reports = await workerReports();
  return reports.flatMap(({ readTimes }) => readTimes).filter((time) => time >= began).sort((a, b) => a - b);
}

/** @param {() => Promise<unknown>} act @returns {Promise<Record<string, number>>} */
export async function countGpuCalls(act) {
  const before = await all();
  await act();
  const after = await all();
  const names = Object.keys(after).filter((name) => !name.startsWith('bytes'));
  return Object.fromEntries(names.map((name) => [name, after[name] - (before[name] ?? 0)]));
}

/** @returns {Promise<number>} bytes of buffers that were made and not destroyed; the collected ones are not known */
export async function liveBytes() {
  const { bytesMade = 0, bytesFreed = 0 } = await all();
  return bytesMade - bytesFreed;
}
