/** The engine's worker where there is no WebGPU: one model, on the CPU. Its own response must allow it WebAssembly. */

import { NeedsWebGpuError } from '../errors.js';
import { serveModel } from '../served_model.js';
import { ProcessorModel } from './processor_model.js';
import { logits } from './writer.js';

/** @param {import('./session.js').Session} session @returns {import('../client.js').OpenedModel} */
function describe({ computer: { name, threads, memoryBytes }, loaded }) {
  const description = `${name} on the CPU, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
  const adapter = { vendor: '', architecture: '', description };
  return { backend: 'wasm', tier: null, adapter, memoryBytes, choices: {}, tuneMs: 0, ...loaded };
}

serveModel({
  open: ProcessorModel.open,
  describe,
  generating: async () => ({ ...(await import('../generation/generate.js')), logits }),
  keeping: async () => {
    throw new NeedsWebGpuError('States are saved and restored with WebGPU only');
  },
});
