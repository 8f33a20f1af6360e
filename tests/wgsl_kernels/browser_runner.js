/**
 * Runs kernels in a page. Devices have WebGPU's default limits, so that a kernel that needs more fails.
 *
 * @typedef {{ binding: number, uniform: boolean, written: boolean, data: string }} Bound  data is base64
 * @typedef {{ constants: Record<string, number>, grid: number[], bound: Bound[] }} Dispatch
 */

/** @type {Map<string, Promise<GPUDevice>>} */
const devices = new Map()

/** @param {string[]} features @returns {Promise<GPUDevice>} */
function deviceWith(features) {
  const key = features.join()
  const opened = devices.get(key) ?? openDevice(features)
  devices.set(key, opened)
  return opened
}

/** @param {string[]} features @returns {Promise<GPUDevice>} */
async function openDevice(features) {
  const adapter = await navigator.gpu.requestAdapter()
  return adapter.requestDevice({ requiredFeatures: features })
}

/**
 * What the compiler says about a shader.
 * @param {string[]} features
 * @param {string} code
 * @returns {Promise<string[]>}
 */
async function compile(features, code) {
  const device = await deviceWith(features)
  device.pushErrorScope('validation')
  const info = await device.createShaderModule({ code }).getCompilationInfo()
  await device.popErrorScope()
  return info.messages.map((message) => `${message.type} ${message.lineNum}: ${message.message}`)
}

/**
 * @param {string[]} features
 * @param {string} code
 * @param {Dispatch[]} dispatches
 * @returns {Promise<string[][]>} base64 of the written buffers of each dispatch, in the order of `bound`
 */
async function runAll(features, code, dispatches) {
  const device = await deviceWith(features)
  device.pushErrorScope('validation')
  const module = device.createShaderModule({ code })
  const results = await Promise.all(dispatches.map((dispatch) => runOne(device, module, dispatch)))
  const error = await device.popErrorScope()
  if (error) throw new Error(error.message)
  return results
}

/**
 * The best of several rounds, in seconds, of each shader with its dispatch; they take turns.
 * @param {string[]} features
 * @param {[string, Dispatch][]} timed
 * @param {number} rounds
 * @returns {Promise<number[]>}
 */
async function bestTimes(features, timed, rounds) {
  const device = await deviceWith(features)
  const prepared = await Promise.all(
    timed.map(([code, dispatch]) => prepare(device, device.createShaderModule({ code }), dispatch)),
  )
  const best = timed.map(() => Infinity)
  for (let round = 0; round < rounds; round++) {
    for (const [i, each] of prepared.entries()) best[i] = Math.min(best[i], await seconds(device, each, timed[i][1]))
  }
  return best
}

/** @param {GPUDevice} device @param {Prepared} prepared @param {Dispatch} dispatch @returns {Promise<number>} */
async function seconds(device, prepared, dispatch) {
  const encoder = device.createCommandEncoder()
  encode(encoder, prepared, dispatch)
  const begin = performance.now()
  device.queue.submit([encoder.finish()])
  await device.queue.onSubmittedWorkDone()
  return (performance.now() - begin) / 1e3
}

/** @param {GPUDevice} device @param {GPUShaderModule} module @param {Dispatch} dispatch @returns {Promise<string[]>} */
async function runOne(device, module, dispatch) {
  const prepared = await prepare(device, module, dispatch)
  const encoder = device.createCommandEncoder()
  encode(encoder, prepared, dispatch)
  const written = prepared.buffers.filter((_, i) => dispatch.bound[i].written)
  const copies = written.map((buffer) => copyBack(device, encoder, buffer))
  device.queue.submit([encoder.finish()])
  const texts = await Promise.all(copies.map(download))
  prepared.buffers.forEach((buffer) => buffer.destroy())
  return texts
}

/**
 * @typedef {{ pipeline: GPUComputePipeline, bindGroup: GPUBindGroup, buffers: GPUBuffer[] }} Prepared
 * @param {GPUDevice} device
 * @param {GPUShaderModule} module
 * @param {Dispatch} dispatch
 * @returns {Promise<Prepared>}
 */
async function prepare(device, module, dispatch) {
  const compute = { module, entryPoint: 'main', constants: dispatch.constants }
  const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute })
  const buffers = dispatch.bound.map((bound) => upload(device, bound))
  const entries = dispatch.bound.map((bound, i) => ({ binding: bound.binding, resource: { buffer: buffers[i] } }))
  const bindGroup = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries })
  return { pipeline, bindGroup, buffers }
}

/** @param {GPUCommandEncoder} encoder @param {Prepared} prepared @param {Dispatch} dispatch */
function encode(encoder, { pipeline, bindGroup }, dispatch) {
  const pass = encoder.beginComputePass()
  pass.setPipeline(pipeline)
  pass.setBindGroup(0, bindGroup)
  pass.dispatchWorkgroups(...dispatch.grid)
  pass.end()
}

/** @param {GPUDevice} device @param {Bound} bound @returns {GPUBuffer} */
function upload(device, bound) {
  const bytes = Uint8Array.fromBase64(bound.data)
  const kind = bound.uniform ? GPUBufferUsage.UNIFORM : GPUBufferUsage.STORAGE
  const usage = kind | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST
  const buffer = device.createBuffer({ size: bytes.length, usage })
  device.queue.writeBuffer(buffer, 0, bytes)
  return buffer
}

/** @param {GPUDevice} device @param {GPUCommandEncoder} encoder @param {GPUBuffer} source @returns {GPUBuffer} */
function copyBack(device, encoder, source) {
  const copy = device.createBuffer({ size: source.size, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ })
  encoder.copyBufferToBuffer(source, 0, copy, 0, source.size)
  return copy
}

/** @param {GPUBuffer} copy @returns {Promise<string>} */
async function download(copy) {
  await copy.mapAsync(GPUMapMode.READ)
  const text = new Uint8Array(copy.getMappedRange()).toBase64()
  copy.destroy()
  return text
}
