/** Transformers.js' feature-extraction pipeline on WebGPU, as its documentation shows it. */

const NPM = '/bench-peers/npm/@huggingface/transformers/';

/** @param {{ dtype: string, folder: string }} job the model lies in that folder */
export async function open({ dtype, folder }) {
  const { env, pipeline } = await import(`${NPM}dist/transformers.web.min.js`);
  env.allowRemoteModels = false;
  env.allowLocalModels = true;
  env.localModelPath = '/bench-peers/made/';
  env.useBrowserCache = false;
  env.backends.onnx.wasm.wasmPaths = `${NPM}node_modules/onnxruntime-web/dist/`;
  const began = performance.now();
  const extract = await pipeline('feature-extraction', folder, { device: 'webgpu', dtype });
  const facts = { version: env.version, settings: { device: 'webgpu', dtype }, loadMs: performance.now() - began };
  return { facts, embed: (/** @type {{ texts: string[] }} */ { texts }) => embed(extract, texts), close: () => extract.dispose() };
}

/** @param {any} extract @param {string[]} texts @returns {Promise<Float32Array[]>} */
async function embed(extract, texts) {
  const { data } = await extract(texts, { pooling: 'mean', normalize: true });
  const size = data.length / texts.length;
  return texts.map((_, i) => data.slice(i * size, (i + 1) * size));
}
