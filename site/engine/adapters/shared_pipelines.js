/** The pipelines of an adapter's plan: most of its kernels are the base's, and are not compiled again. */

import { compilePipelines } from '../pipelines.js';

/** @typedef {import('../plan.js').Plan} Plan */
/** @typedef {Map<number, GPUComputePipeline>} Pipelines by kernel */
/** @typedef {{ plan: Plan, pipelines: Pipelines }} Compiled */

/** @param {Plan} plan @param {number} kernel @returns {string} what is alike has the same */
function keyOf({ shaders, kernels }, kernel) {
  const { shader, constants } = kernels[kernel];
  return JSON.stringify([shaders[shader], constants]);
}

/**
 * @param {import('../device.js').Device} device
 * @param {Plan} plan
 * @param {Set<number>} wanted kernels
 * @param {Compiled[]} known of the base and of other adapters
 * @returns {Promise<Pipelines>}
 */
export async function sharePipelines(device, plan, wanted, known) {
  const byKey = new Map(known.flatMap((each) => [...each.pipelines].map(
    /** @returns {[string, GPUComputePipeline]} */ ([kernel, pipeline]) => [keyOf(each.plan, kernel), pipeline],
  )));
  const missing = new Set([...wanted].filter((kernel) => !byKey.has(keyOf(plan, kernel))));
  const names = new Set([...missing].map((kernel) => plan.kernels[kernel].shader));
  const shaders = Object.fromEntries([...names].map((name) => [name, plan.shaders[name]]));
  const compiled = await compilePipelines(device, { ...plan, shaders }, missing);
  return new Map([...wanted].map((kernel) => {
    const pipeline = compiled.get(kernel) ?? byKey.get(keyOf(plan, kernel));
    return [kernel, /** @type {GPUComputePipeline} */ (pipeline)];
  }));
}
