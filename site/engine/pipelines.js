/** Compiles the kernels of a plan, all at once and off the critical path of the download. */

import { PlanInvalidError } from './errors.js';

/** @param {GPUShaderModule} module @returns {Promise<string>} the compiler's own words */
async function complaints(module) {
  const { messages } = await module.getCompilationInfo();
  const errors = messages.filter(({ type }) => type === 'error');
  return errors.map(({ lineNum, linePos, message }) => `${lineNum}:${linePos} ${message}`).join('; ');
}

/**
 * @param {import('./device.js').Device} device
 * @param {import('./plan.js').PlanKernel} kernel
 * @param {GPUShaderModule} module
 * @returns {Promise<GPUComputePipeline>}
 */
async function compile(device, { shader, constants }, module) {
  const compute = { module, entryPoint: 'main', constants };
  try {
    return await device.gpu.createComputePipelineAsync({ label: shader, layout: 'auto', compute });
  } catch (cause) {
    device.check();
    const words = (await complaints(module)) || (cause instanceof Error ? cause.message : String(cause));
    throw new PlanInvalidError(`The shader ${shader} does not compile: ${words}`, { shader });
  }
}

/**
 * @param {import('./device.js').Device} device
 * @param {import('./plan.js').Plan} plan
 * @param {Set<number>} wanted kernels
 * @returns {Promise<Map<number, GPUComputePipeline>>} by kernel
 */
export async function compilePipelines(device, { shaders, kernels }, wanted) {
  const modules = await device.guarded('Reading the shaders', () =>
    Object.fromEntries(
      Object.entries(shaders).map(([label, code]) => [label, device.gpu.createShaderModule({ label, code })]),
    ),
  );
  const compiled = await Promise.all([...wanted].map(/** @returns {Promise<[number, GPUComputePipeline]>} */
    async (i) => [i, await compile(device, kernels[i], modules[kernels[i].shader])]));
  return new Map(compiled);
}
