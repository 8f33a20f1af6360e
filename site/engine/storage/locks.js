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
