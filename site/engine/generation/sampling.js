/** Tells the GPU how to pick tokens, and which end an answer. */

/** @typedef {import('../manifest.js').Generation} Generation */
/** @typedef {Pick<import('./generate.js').GenerateOptions, 'temperature' | 'topK' | 'topP'> & { seed: number }} Sampling */

/** @param {Pick<import('../session.js').Session, 'manifest' | 'device' | 'buffers'>} session @param {Sampling} options */
export function writeSampling({ manifest, device, buffers }, { temperature, topK, topP, seed }) {
  const usual = /** @type {Generation} */ (manifest.generation);
  const words = new DataView(new ArrayBuffer(buffers.sampling.size));
  words.setFloat32(0, temperature ?? usual.temperature, true);
  words.setFloat32(4, topP ?? usual.topP, true);
  words.setUint32(8, topK ?? usual.topK, true);
  words.setUint32(12, seed, true);
  device.gpu.queue.writeBuffer(buffers.sampling, 0, words);
  const stops = Uint32Array.of(usual.stopIds.length, ...usual.stopIds);
  device.gpu.queue.writeBuffer(buffers.get('stops'), 0, stops);
}
