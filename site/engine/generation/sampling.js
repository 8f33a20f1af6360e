/** How tokens are picked, and which end an answer; and the GPU is told so. */

/** @typedef {import('../manifest.js').Generation} Generation */
/** @typedef {Pick<import('./generate.js').GenerateOptions, 'temperature' | 'topK' | 'topP'> & { seed: number }} Asked */
/** @typedef {{ temperature: number, topK: number, topP: number, seed: number, stopIds: number[] }} Sampling */

/** @param {Pick<import('../session.js').Session, 'manifest'>} session @param {Asked} asked @returns {Sampling} the model's own unless said */
export function samplingOf({ manifest }, { temperature, topK, topP, seed }) {
  const usual = /** @type {Generation} */ (manifest.generation);
  return {
    temperature: temperature ?? usual.temperature,
    topK: topK ?? usual.topK,
    topP: topP ?? usual.topP,
    seed,
    stopIds: usual.stopIds,
  };
}

/** @param {Pick<import('../session.js').Session, 'manifest' | 'device' | 'buffers'>} session @param {Asked} asked */
export function writeSampling({ manifest, device, buffers }, asked) {
  const { temperature, topK, topP, seed, stopIds } = samplingOf({ manifest }, asked);
  const words = new DataView(new ArrayBuffer(buffers.sampling.size));
  words.setFloat32(0, temperature, true);
  words.setFloat32(4, topP, true);
  words.setUint32(8, topK, true);
  words.setUint32(12, seed, true);
  device.gpu.queue.writeBuffer(buffers.sampling, 0, words);
  device.gpu.queue.writeBuffer(buffers.get('stops'), 0, Uint32Array.of(stopIds.length, ...stopIds));
}
