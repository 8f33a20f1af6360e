/** Wraps WebGPU's own functions, so that each call is counted. */

/** @type {Record<string, number>} */
export const counts = {};
/** When results came back from the GPU, in a clock that all workers of a page share. @type {number[]} */
export const readTimes = [];

/** @returns {number} milliseconds */
export function now() {
  return performance.timeOrigin + performance.now();
}

const DEVICE = ['createBuffer', 'createBindGroup', 'createComputePipeline', 'createComputePipelineAsync', 'createShaderModule', 'createCommandEncoder'];
const OTHERS = /** @type {const} */ ([
  ['GPUCommandEncoder', ['beginComputePass', 'copyBufferToBuffer', 'clearBuffer']],
  ['GPUComputePassEncoder', ['dispatchWorkgroups']],
  ['GPUQueue', ['submit', 'writeBuffer']],
  ['GPUBuffer', ['mapAsync']],
]);

/** Counts in this page or worker. */
export function countHere() {
  const scope = /** @type {any} */ (globalThis);
  for (const [kind, names] of [/** @type {const} */ (['GPUDevice', DEVICE]), ...OTHERS]) {
    for (const name of names) wrap(scope[kind].prototype, name);
  }
  countBytes(scope);
  noteReads(scope.GPUBuffer.prototype);
}

/** @param {any} prototype */
function noteReads(prototype) {
  const { mapAsync } = prototype;
  prototype.mapAsync = async function noted(/** @type {unknown[]} */ ...args) {
    await mapAsync.apply(this, args);
    readTimes.push(now());
  };
}

/** @param {any} prototype @param {string} name */
function wrap(prototype, name) {
  const plain = prototype[name];
  counts[name] = 0;
  prototype[name] = function counted(/** @type {unknown[]} */ ...args) {
    counts[name] += 1;
    return plain.apply(this, args);
  };
}

/** @param {any} scope */
function countBytes(scope) {
  const { createBuffer } = scope.GPUDevice.prototype;
  const { destroy } = scope.GPUBuffer.prototype;
  counts.bytesMade = counts.bytesFreed = 0;
  const freed = new WeakSet();
  scope.GPUDevice.prototype.createBuffer = function made(/** @type {GPUBufferDescriptor} */ wanted) {
    counts.bytesMade += wanted.size;
    return createBuffer.call(this, wanted);
  };
  scope.GPUBuffer.prototype.destroy = function destroyed() {
    if (!freed.has(this)) counts.bytesFreed += this.size;
    freed.add(this);
    return destroy.call(this);
  };
}
