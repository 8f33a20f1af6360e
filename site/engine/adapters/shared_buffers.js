/**
 * The buffers of an adapter's plan: those that the base has are the base's, so that only what is the adapter's own takes
 * memory. One plan is played at a time, and its states begin anew after a change: so states and scratch are shared too.
 */

import { Buffers, usages } from '../buffers.js';
import { OtherBaseError } from '../errors.js';

/** @typedef {import('../plan.js').PlanBuffer} PlanBuffer */
/** @typedef {import('../session.js').Session} Session */
/** @typedef {{ shared: Map<number, GPUBuffer>, own: number[], bytes: number }} Sharing by the plan's index */

/** What a base's read-backs and calls know the sizes of. */
const IO = ['input', 'output', 'step', 'sampling'];

/** @param {PlanBuffer} buffer @param {number} shards of the base @returns {string} what is alike has the same */
function keyOf({ name, kind, bytes, weight, rope, role }, shards) {
  if (weight) return JSON.stringify(weight.shard < shards ? [weight, bytes] : null);
  return JSON.stringify(kind === 'activation' ? [kind, name] : [kind, name, bytes, rope, role]);
}

/**
 * Each buffer of the base is given once, so that no two of the plan's are one; only a weight may be read as often as
 * it likes.
 *
 * @param {Session} base
 * @param {PlanBuffer[]} plan of the adapter
 * @param {string} url for messages
 * @returns {Sharing}
 */
export function shareBuffers({ manifest, plan: { buffers }, buffers: { made } }, plan, url) {
  const count = manifest.shards.length;
  const free = new Map(buffers.map((buffer, i) => [keyOf(buffer, count), i]));
  /** @type {Sharing} */
  const sharing = { shared: new Map(), own: [], bytes: 0 };
  for (const [i, buffer] of plan.entries()) {
    const key = keyOf(buffer, count);
    const at = free.get(key);
    const ofBase = buffer.weight !== null && buffer.weight.shard < count;
    if (at !== undefined && made[at].size >= buffer.bytes) {
      sharing.shared.set(i, made[at]);
      if (!ofBase) free.delete(key);
    } else if (ofBase || IO.includes(buffer.kind)) {
      throw new OtherBaseError(`The adapter ${url} wants ${buffer.name} otherwise than the model has it`, { url });
    } else {
      sharing.own.push(i);
      sharing.bytes += buffer.bytes;
    }
  }
  return sharing;
}

/**
 * @param {Session} base
 * @param {PlanBuffer[]} plan
 * @param {Sharing} sharing
 * @returns {Promise<{ buffers: Buffers, own: GPUBuffer[] }>} all of the plan's, and those that were made for it
 */
export async function makeBuffers({ device }, plan, { shared, own }) {
  const usage = usages();
  const wanted = own.map((i) => ({ label: plan[i].name, size: plan[i].bytes, usage: usage[plan[i].kind] }));
  const made = await device.makeBuffers('the GPU buffers of the adapter', wanted);
  const all = plan.map((_, i) => /** @type {GPUBuffer} */ (shared.get(i) ?? made[own.indexOf(i)]));
  return { buffers: new Buffers(plan, all, device), own: made };
}
