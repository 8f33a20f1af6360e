/** What a model takes of the GPU's memory, known before it is loaded. */

/** Results under way at once: the GPU works on the next while the last is read. */
export const READBACK_SLOTS = 2;

/**
 * The buffers of the plan, and those beside it into which results are copied to be read. Of their size the manifest tells
 * this much: it is at most that of the plan's `io`, of which what is not results is small; and logits are read one at a time.
 *
 * @param {Pick<import('./manifest.js').Manifest, 'task' | 'vocabulary'>} manifest
 * @param {Pick<import('./manifest.js').PlanRecord, 'memory'>} record of the tier
 * @returns {number} bytes
 */
export function memoryNeeded({ task, vocabulary }, { memory }) {
  const logits = task === 'text-generation' ? vocabulary * 4 : 0;
  return memory.total + logits + READBACK_SLOTS * Math.max(0, memory.io - logits);
}
