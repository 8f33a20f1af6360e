/** Counts what the engines ask of WebGPU, in the page and, by way of a wrapped worker, in our engine's worker. */

import { counts, countHere } from './gpu_counts.js';

const WRAPPER = '/bench-peers/page/counted_worker.js';
const CHANNEL = new BroadcastChannel('bench-gpu-calls');

/** From now on everything is counted; before any engine is opened. */
export function startCounting() {
  countHere();
  const Plain = Worker;
  globalThis.Worker = /** @type {any} */ (class extends Plain {
    /** @param {string | URL} address @param {WorkerOptions} [options] */
    constructor(address, options) {
      super(String(address).endsWith('/engine/worker.js') ? WRAPPER : address, options);
    }
  });
}

/** @returns {Promise<Record<string, number>>} of the page and of the workers that answer */
async function all() {
  const found = { ...counts };
  const answered = new Promise((done) => {
    CHANNEL.onmessage = ({ data }) => {
      if (!data.counts) return;
      for (const [name, count] of Object.entries(data.counts)) found[name] = (found[name] ?? 0) + count;
      done(undefined);
    };
    setTimeout(done, 1000);
  });
  CHANNEL.postMessage({ ask: true });
  await answered;
  return found;
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
