/** A device beside the engines' own, for kernels without an engine. */

/** @type {GPUDevice} */
export let device;

/** @param {string[]} features */
export async function openDevice(features) {
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw new Error('the browser offers no GPU adapter');
  const requiredLimits = {
    maxBufferSize: adapter.limits.maxBufferSize,
    maxStorageBufferBindingSize: adapter.limits.maxStorageBufferBindingSize,
    maxComputeWorkgroupStorageSize: adapter.limits.maxComputeWorkgroupStorageSize,
  };
  device = await adapter.requestDevice({ requiredFeatures: /** @type {GPUFeatureName[]} */ (features), requiredLimits });
}

/** @param {string} code @param {Record<string, number>} constants */
export function pipelineOf(code, constants) {
  const compute = { module: device.createShaderModule({ code }), entryPoint: 'main', constants };
  return device.createComputePipelineAsync({ layout: 'auto', compute });
}

/** @param {number} bytes */
export function makeBuffer(bytes) {
  const { STORAGE, UNIFORM, COPY_DST, COPY_SRC } = GPUBufferUsage;
  const small = bytes <= 256 ? UNIFORM : 0;
  return device.createBuffer({ size: Math.ceil(bytes / 4) * 4, usage: STORAGE | COPY_DST | COPY_SRC | small });
}

/** @template T @param {() => Promise<T>} act @returns {Promise<T>} fails where the GPU refuses something */
export async function checked(act) {
  device.pushErrorScope('validation');
  device.pushErrorScope('out-of-memory');
  const value = await act();
  const errors = [await device.popErrorScope(), await device.popErrorScope()];
  const error = errors.find((found) => found !== null);
  if (error) throw new Error(error.message);
  return value;
}

/** @param {GPUBuffer} source @param {number} offset @param {number} size a multiple of 4, as the offset is */
export async function wordsOf(source, offset = 0, size = source.size) {
  const copy = device.createBuffer({ size, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(source, offset, copy, 0, size);
  device.queue.submit([encoder.finish()]);
  await copy.mapAsync(GPUMapMode.READ);
  const words = new Uint32Array(copy.getMappedRange().slice(0));
  copy.destroy();
  return words;
}
