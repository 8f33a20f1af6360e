/**
 * One tab at a time writes a file, and one changes the records; the others wait, and find what it has brought. A tab that
 * ends lets go of what it holds. Where the browser has no locks, everybody goes ahead.
 */

import { AbortedError } from '../errors.js';

/**
 * @template T
 * @param {string} name
 * @param {LockMode} mode
 * @param {AbortSignal} signal ends the wait
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
async function holding(name, mode, signal, work) {
  const { locks } = navigator;
  if (!locks) return work();
  const entered = { yes: false };
  try {
    return await locks.request(`thistledown ${name}`, { mode, signal }, () => {
      entered.yes = true;
      return work();
    });
  } catch (cause) {
    if (!entered.yes && signal.aborted) throw new AbortedError('The download was aborted');
    throw cause;
  }
}

/**
 * @template T
 * @param {string} sha256
 * @param {LockMode} mode `exclusive` for whoever writes it
 * @param {AbortSignal} signal
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export function holdingFile(sha256, mode, signal, work) {
  return holding(`file ${sha256}`, mode, signal, work);
}

/** @template T @param {() => Promise<T>} work short @returns {Promise<T>} */
export function holdingRecords(work) {
  return holding('records', 'exclusive', new AbortController().signal, work);
}

/**
 * @template T
 * @param {string} base the model's address
 * @param {AbortSignal} signal ends the wait
 * @param {() => Promise<T>} load
 * @returns {Promise<T>}
 */
export function holdingModel(base, signal, load) {
  return holding(`model ${base}`, 'shared', signal, load);
}

/** @param {string} base the model's address @param {() => Promise<void>} work left out where a tab is loading the model */
export async function ifNobodyLoads(base, work) {
  const { locks } = navigator;
  if (!locks) return work();
  return locks.request(`thistledown model ${base}`, { ifAvailable: true }, (lock) => (lock ? work() : undefined));
}
