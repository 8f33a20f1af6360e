/** Single kernels on a device of their own: run once for their answers, then many times for their speed. */

import { checked, device, makeBuffer, pipelineOf, wordsOf } from './own_device.js';

/**
 * @typedef {{ binding: number, bytes: number, fill: 'noise' | 'zero' | 'words', words?: number[], same?: number }} Bound
 *   `same` is the index of an earlier one that is the same range
 * @typedef {{ code: string, constants: Record<string, number>, grid: number[], bound: Bound[] }} Dispatch
 */

const STREAM_BYTES = 2 ** 29;
const GROUPS = 1024;
const FMA_ROUNDS = 256;
/** Shorter batches measure the clock and the submit. */
const LEAST_MS = 20;
const BATCHES = 5;

/** Words that do not compress; as f16 and as f32 they are numbers below 2. @param {Uint32Array} words */
function fillWithNoise(words) {
  let state = 1;
  for (let i = 0; i < words.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    words[i] = (state ^ (state >>> 15)) & 0xbbffbbff;
  }
}

/** @param {Bound} bound */
function bufferOf({ bytes, fill, words }) {
  const buffer = makeBuffer(bytes);
  const data = new Uint32Array(buffer.size / 4);
  if (fill === 'noise') fillWithNoise(data);
  if (fill === 'words') data.set(words ?? []);
  device.queue.writeBuffer(buffer, 0, data);
  return buffer;
}

/** @param {Dispatch} dispatch */
async function prepare({ code, constants, bound }) {
  const pipeline = await pipelineOf(code, constants);
  /** @type {GPUBuffer[]} */
  const buffers = [];
  for (const one of bound) buffers.push(one.same === undefined ? bufferOf(one) : buffers[one.same]);
  const entries = bound.map(({ binding, bytes }, i) => ({ binding, resource: { buffer: buffers[i], size: Math.ceil(bytes / 4) * 4 } }));
  return { pipeline, buffers, group: device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }) };
}

/** @param {GPUComputePipeline} pipeline @param {GPUBindGroup} group @param {number[]} grid @param {number} count */
async function batch(pipeline, group, grid, count) {
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  for (let i = 0; i < count; i++) pass.dispatchWorkgroups(grid[0], grid[1], grid[2]);
  pass.end();
  const began = performance.now();
  device.queue.submit([encoder.finish()]);
  await device.queue.onSubmittedWorkDone();
  return performance.now() - began;
}

/** @param {GPUComputePipeline} pipeline @param {GPUBindGroup} group @param {number[]} grid @returns {Promise<number[]>} ms a dispatch, of each batch */
async function timed(pipeline, group, grid) {
  let count = 1;
  for (let ms = await batch(pipeline, group, grid, count); ms < LEAST_MS && count < 4096; count *= 2) {
    ms = await batch(pipeline, group, grid, count * 2);
  }
  const found = [];
  for (let i = 0; i < BATCHES; i++) found.push((await batch(pipeline, group, grid, count)) / count);
  return found;
}

/** @param {Dispatch} dispatch */
export function timeKernel(dispatch) {
  return checked(async () => {
    const { pipeline, group, buffers } = await prepare(dispatch);
    const milliseconds = await timed(pipeline, group, dispatch.grid);
    for (const buffer of buffers) buffer.destroy();
    return milliseconds;
  });
}

/** @param {Dispatch} dispatch @param {number[]} written indices in `bound` @returns {Promise<number[][]>} their words */
export function runKernel(dispatch, written) {
  return checked(async () => {
    const { pipeline, group, buffers } = await prepare(dispatch);
    await batch(pipeline, group, dispatch.grid, 1);
    const found = [];
    for (const index of written) found.push(Array.from(await wordsOf(buffers[index])));
    for (const buffer of buffers) buffer.destroy();
    return found;
  });
}

const FILL = `
@group(0) @binding(0) var<storage, read_write> words: array<vec4u>;
@compute @workgroup_size(256) fn main(@builtin(global_invocation_id) at: vec3u) {
  for (var i = at.x; i < arrayLength(&words); i += ${GROUPS * 256}u) {
    var h = vec4u(i * 4u, i * 4u + 1u, i * 4u + 2u, i * 4u + 3u) * 2654435761u;
    h = (h ^ (h >> vec4u(15u))) * 2246822519u;
    words[i] = h ^ (h >> vec4u(13u));
  }
}`;
const STREAM = `
@group(0) @binding(0) var<storage, read> words: array<vec4u>;
@group(0) @binding(1) var<storage, read_write> sums: array<vec4u>;
@compute @workgroup_size(256) fn main(@builtin(global_invocation_id) at: vec3u) {
  var sum = vec4u(0u);
  for (var i = at.x; i < arrayLength(&words); i += ${GROUPS * 256}u) { sum += words[i]; }
  sums[at.x] = sum;
}`;
const FMA = `
override rounds: u32;
@group(0) @binding(0) var<storage, read_write> sums: array<vec4f>;
@compute @workgroup_size(256) fn main(@builtin(global_invocation_id) at: vec3u) {
  let x = vec4f(f32(at.x) * 1e-6) + vec4f(0.9, 0.8, 0.7, 0.6);
  var a = x; var b = x + 0.1; var c = x + 0.2; var d = x + 0.3;
  for (var i = 0u; i < rounds; i++) {
    a = fma(a, x, x); b = fma(b, x, x); c = fma(c, x, x); d = fma(d, x, x);
  }
  sums[at.x] = a + b + c + d;
}`;

/** @param {string} code @param {Record<string, number>} constants @param {GPUBuffer[]} buffers */
async function timedOver(code, constants, buffers) {
  const pipeline = await pipelineOf(code, constants);
  const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
  const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
  return Math.min(...await timed(pipeline, group, [GROUPS, 1, 1]));
}

/** @returns {Promise<{ bytes: number, bytesPerSecond: number, flopPerSecond: number }>} what this device does at best */
export function roofs() {
  return checked(async () => {
    const bytes = Math.min(STREAM_BYTES, device.limits.maxStorageBufferBindingSize, device.limits.maxBufferSize);
    const [words, sums] = [makeBuffer(bytes), makeBuffer(GROUPS * 256 * 16)];
    await timedOver(FILL, {}, [words]);
    const streamMs = await timedOver(STREAM, {}, [words, sums]);
    const fmaMs = await timedOver(FMA, { rounds: FMA_ROUNDS }, [sums]);
    words.destroy();
    sums.destroy();
    const flop = 2 * 4 * 4 * FMA_ROUNDS * GROUPS * 256;
    return { bytes, bytesPerSecond: (1000 * bytes) / streamMs, flopPerSecond: (1000 * flop) / fmaMs };
  });
}
