/** The engine's worker: one model, on the GPU. */

import { serveModel } from './served_model.js';
import { openSession } from './session.js';

/** @typedef {import('./session.js').Session} Session */

/** @param {Session} session @returns {import('./client.js').OpenedModel} */
function describe({ plan, device, tuning, loaded }) {
  const { played: choices, ms: tuneMs } = tuning;
  const { tier, memory: { total: memoryBytes } } = plan;
  return { backend: 'webgpu', tier, adapter: device.info, memoryBytes, choices, tuneMs, ...loaded };
}

serveModel({
  open: openSession,
  describe,
  generating: () => import('./generation/generate.js'),
  putOn: async (session, url, signal) => (await import('./adapters/shelf.js')).putOn(session, url, signal),
  check: ({ device }) => device.check(),
  close: ({ device }) => device.destroy(),
});
