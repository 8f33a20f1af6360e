/** The engine's worker: one model, on the GPU. */

import { playCanary } from './canary.js';
import { LastingSession } from './lasting_session.js';
import { serveModel } from './served_model.js';

/** @param {import('./session.js').Session} session @returns {import('./client.js').OpenedModel} */
function describe({ plan, device, tuning, loaded, readback, logitsReadback }) {
  const { played: choices, ms: tuneMs } = tuning;
  const memoryBytes = plan.memory.total + readback.bytes + (logitsReadback?.bytes ?? 0);
  return { backend: 'webgpu', tier: plan.tier, adapter: device.info, memoryBytes, choices, tuneMs, ...loaded };
}

serveModel({
  open: (request, { answering, ...opening }) => LastingSession.open(request, {
    ...opening,
    rehearse: async (session, ending) => playCanary(session, await answering(), ending),
  }),
  describe,
  generating: () => import('./generation/generate.js'),
  keeping: () => import('./state/saving.js'),
});
