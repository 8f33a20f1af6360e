/** The Mamba-2 scan of one layer on one input: our plan's kernels, and onnxruntime-web on the artifact's own node. */

import { differenceOf } from './difference.js';
import { onnxruntime } from './onnxruntime.js';
import { checked, device, makeBuffer, openDevice, pipelineOf, wordsOf } from './own_device.js';

/**
 * @typedef {[number, number]} Place offset and bytes in the file of values
 * @typedef {{ code: string, constants: Record<string, number> }} Kernel
 * @typedef {{ grid: number[], bound: [number, number, number, number][] }} Dispatch `bound`: binding, buffer, offset, bytes
 * @typedef {[number, number, number]} Range buffer, offset, count of values
 */
/**
 * @typedef {object} OurJob
 * @property {string} data address of the file of values
 * @property {string[]} features of the device
 * @property {boolean} half whether y is in 16 bits
 * @property {{ bytes: number, filled: Place | null }[]} buffers
 * @property {Kernel[]} kernels in the order that each block plays them in
 * @property {Dispatch[][]} blocks
 * @property {Range[]} y of each block
 * @property {Range} state after the last block
 */
/**
 * @typedef {object} PeerJob
 * @property {string} data address of the file of values
 * @property {'asyncify' | 'jspi' | 'wasm'} build
 * @property {string} onnx address of the model
 * @property {Record<string, { dims: number[], place: Place }>} inputs
 */
/** @typedef {{ y: Float32Array, state: Float32Array }} Answer */

/** @type {Map<string, OurScan | TheirScan>} */
const runners = new Map();

/** @param {string} name @param {OurJob} job */
export async function openOurs(name, job) {
  await openDevice(job.features);
  runners.set(name, await checked(() => OurScan.open(job)));
}

/** @param {string} name @param {PeerJob} job */
export async function openPeer(name, job) {
  runners.set(name, await TheirScan.open(job));
}

/** @param {string} name @returns {OurScan | TheirScan} */
function runner(name) {
  const found = runners.get(name);
  if (!found) throw new Error(`${name} has no scan open`);
  return found;
}

/** @param {string} ours @param {string} peer */
export async function compare(ours, peer) {
  const [got, wanted] = [await runner(ours).answer(), await runner(peer).answer()];
  return { y: differenceOf(got.y, wanted.y), state: differenceOf(got.state, wanted.state) };
}

/** @param {string} name @returns {Promise<number>} milliseconds from the first call to the queue being done */
export function measure(name) {
  return runner(name).scan();
}

export async function close() {
  for (const open of runners.values()) await open.close();
  runners.clear();
  device.destroy();
}

/** @param {string} address */
async function fetched(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: ${response.status}`);
  return response.arrayBuffer();
}

class OurScan {
  /** @param {OurJob} job */
  static async open(job) {
    const data = await fetched(job.data);
    const pipelines = await Promise.all(job.kernels.map(({ code, constants }) => pipelineOf(code, constants)));
    return new OurScan(job, data, pipelines);
  }

  /** @param {OurJob} job @param {ArrayBuffer} data @param {GPUComputePipeline[]} pipelines */
  constructor(job, data, pipelines) {
    this.job = job;
    this.data = data;
    this.pipelines = pipelines;
    this.buffers = job.buffers.map(({ bytes }) => makeBuffer(bytes));
    this.blocks = job.blocks.map((dispatches) =>
      dispatches.map(({ grid, bound }, i) => ({ grid, pipeline: pipelines[i], group: this.group(pipelines[i], bound) })),
    );
  }

  /** @param {GPUComputePipeline} pipeline @param {Dispatch['bound']} bound */
  group(pipeline, bound) {
    const entries = bound.map(([binding, buffer, offset, size]) => ({ binding, resource: { buffer: this.buffers[buffer], offset, size } }));
    return device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
  }

  /** The inputs as they were: a run changes the state, and may reuse the slabs of rows that it has read. */
  async fill() {
    this.job.buffers.forEach(({ filled }, i) => {
      if (filled) device.queue.writeBuffer(this.buffers[i], 0, this.data, ...filled);
    });
    await device.queue.onSubmittedWorkDone();
  }

  async scan() {
    await this.fill();
    const began = performance.now();
    const encoder = device.createCommandEncoder();
    for (const dispatches of this.blocks) {
      const pass = encoder.beginComputePass();
      for (const { grid, pipeline, group } of dispatches) {
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, group);
        pass.dispatchWorkgroups(grid[0], grid[1], grid[2]);
      }
      pass.end();
    }
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    return performance.now() - began;
  }

  /** @returns {Promise<Answer>} */
  async answer() {
    await checked(() => this.scan());
    const parts = [];
    for (const range of this.job.y) parts.push(await this.values(range, this.job.half));
    const y = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      y.set(part, at);
      at += part.length;
    }
    return { y, state: await this.values(this.job.state, false) };
  }

  /** @param {Range} range @param {boolean} half @returns {Promise<Float32Array>} */
  async values([buffer, offset, count], half) {
    const words = await wordsOf(this.buffers[buffer], offset, Math.ceil((count * (half ? 2 : 4)) / 4) * 4);
    return half ? Float32Array.from(new Uint16Array(words.buffer, 0, count), fromHalf) : new Float32Array(words.buffer);
  }

  async close() {
    for (const buffer of this.buffers) buffer.destroy();
  }
}

/** @param {number} bits of a number in 16 bits @returns {number} */
function fromHalf(bits) {
  const [exponent, fraction, sign] = [(bits >> 10) & 31, bits & 1023, bits >> 15 ? -1 : 1];
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? 2 ** (exponent - 25) * (1024 + fraction) : 2 ** -24 * fraction);
}

class TheirScan {
  /** @param {PeerJob} job inputs and outputs stay where the provider computes */
  static async open({ data, build, onnx, inputs }) {
    const ort = await onnxruntime(build);
    const gpu = build !== 'wasm';
    const session = await ort.InferenceSession.create(onnx, {
      executionProviders: [gpu ? 'webgpu' : 'wasm'],
      preferredOutputLocation: gpu ? 'gpu-buffer' : 'cpu',
      graphOptimizationLevel: 'all',
    });
    const scan = new TheirScan(session, gpu ? await ort.env.webgpu.device : null);
    const values = await fetched(data);
    for (const [name, { dims, place }] of Object.entries(inputs)) {
      scan.feeds[name] = scan.tensor(ort, new Float32Array(values, place[0], place[1] / 4), dims);
    }
    return scan;
  }

  /** @param {any} session @param {GPUDevice | null} theirs its device, null where it computes on the CPU */
  constructor(session, theirs) {
    this.session = session;
    this.theirs = theirs;
    /** @type {Record<string, any>} */
    this.feeds = {};
    /** @type {GPUBuffer[]} */
    this.buffers = [];
  }

  /** @param {any} ort @param {Float32Array<ArrayBuffer>} values @param {number[]} dims */
  tensor(ort, values, dims) {
    if (!this.theirs) return new ort.Tensor('float32', values, dims);
    const { STORAGE, COPY_DST, COPY_SRC } = GPUBufferUsage;
    const buffer = this.theirs.createBuffer({ size: Math.ceil(values.byteLength / 16) * 16, usage: STORAGE | COPY_DST | COPY_SRC });
    this.theirs.queue.writeBuffer(buffer, 0, values);
    this.buffers.push(buffer);
    return ort.Tensor.fromGpuBuffer(buffer, { dataType: 'float32', dims });
  }

  async scan() {
    await this.theirs?.queue.onSubmittedWorkDone();
    const began = performance.now();
    const outputs = await this.session.run(this.feeds);
    await this.theirs?.queue.onSubmittedWorkDone();
    const ms = performance.now() - began;
    for (const tensor of Object.values(outputs)) tensor.dispose();
    return ms;
  }

  /** @returns {Promise<Answer>} */
  async answer() {
    const { y, present_state: state } = await this.session.run(this.feeds);
    return { y: await y.getData(true), state: await state.getData(true) };
  }

  async close() {
    await this.session.release();
    for (const buffer of this.buffers) buffer.destroy();
  }
}
