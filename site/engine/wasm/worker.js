/** The engine's worker where there is no WebGPU: one model, on the CPU. Its own response must allow it WebAssembly. */

import { NeedsWebGpuError } from '../errors.js';
import { serveModel } from '../served_model.js';
import { openSession } from './session.js';
import { logits } from './writer.js';

/** @typedef {import('./session.js').Session} Session */

/** @param {Session} session @returns {import('../client.js').OpenedModel} */
function describe({ computer: { name, threads, memoryBytes }, loaded }) {
  const description = `${name} on the CPU, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
  const adapter = { vendor: '', architecture: '', description };
  return { backend: 'wasm', tier: null, adapter, memoryBytes, choices: {}, tuneMs: 0, ...loaded };
}

/** @param {Session} session @param {string | null} url */
async function putOn(session, url) {
  if (url !== null) throw new NeedsWebGpuError('Adapters are put on by WebGPU, and this model runs on the CPU', { url });
  session.memory.forget();
  return { session, swap: { adapter: null, ms: 0, networkBytes: 0, memoryBytes: 0, ready: 0 } };
}

serveModel({
  open: openSession,
  describe,
  generating: async () => ({ ...(await import('../generation/generate.js')), logits }),
  putOn,
  check: () => undefined,
  close: ({ graph }) => graph.close(),
});
