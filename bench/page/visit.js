/** A visit of a page that embeds one sentence with Transformers.js; all settings but the addresses are its defaults. */

const ORT = 'ort-wasm-simd-threaded.asyncify';

/** @returns {Promise<number[]>} */
async function visit() {
  const { env, pipeline } = await import(new URL('transformers.js', location.href).href);
  env.allowRemoteModels = false;
  env.allowLocalModels = true;
  env.localModelPath = '/models/';
  const base = `${location.origin}/${ORT}`;
  env.backends.onnx.wasm.wasmPaths = { mjs: `${base}.mjs`, wasm: `${base}.wasm` };
  const extract = await pipeline('feature-extraction', 'peer', { device: 'webgpu', dtype: 'q8' });
  const { data } = await extract('A sentence.', { pooling: 'mean', normalize: true });
  return [...data];
}

visit().then(
  (embedding) => {
    Object.assign(globalThis, { embedding });
    document.title = 'ready';
  },
  (error) => {
    document.title = `failed: ${error.message}`;
  },
);
