/**
 * The engine's door: small language models on the visitor's own GPU.
 *
 *     const model = await load('/models/minilm/', { onProgress });
 *     const [{ data }] = await model.embed(['a sentence']);
 *     for await (const { text } of model.generate('Once upon')) console.log(text);
 *     const [{ label, score }] = await model.classify('a text');
 *     const words = await model.classifyTokens('a text'); // [{ text, start, end, label, score }]
 *     const [{ token }] = await model.fillMask(`a ${model.info.maskToken} text`);
 */

import { checkLoadOptions, folderUrl } from './arguments.js';
import { readWithin } from './byte_stream.js';
import { ChunkCache } from './cache.js';
import { WorkerClient } from './client.js';
import * as errors from './errors.js';
import { parseJson, request } from './http.js';
import { downloadBytes, readManifest, visitedFiles } from './manifest.js';
import { facts, Model as LoadedModel } from './model.js';
import { assess, verdict } from './verdict.js';

export { errors };

/** @typedef {import('./manifest.js').Manifest} Manifest */
/** @typedef {import('./manifest.js').Tier} Tier */
/** @typedef {import('./progress.js').ProgressEvent} Progress */
/** @typedef {import('./model.js').Model} Model */
/** @typedef {import('./verdict.js').Verdict} Verdict */
/**
 * @typedef {ReturnType<typeof facts> & Verdict & { cachedBytes: number }} Inspection the manifest's facts, the verdict
 *   for this device, and how many bytes of the download earlier loads have kept
 */

/**
 * @typedef {object} LoadOptions
 * @property {'auto' | 'webgpu'} [backend]
 * @property {Tier} [tier] the best that the device has unless said
 * @property {(event: Progress) => void} [onProgress] bytes of the whole download, never backwards
 * @property {AbortSignal} [signal]
 * @property {import('./choices/tuning.js').Tune} [tune] which of a model's kernels a device plays: `auto` (unless said) times
 *   what is not remembered of an earlier load, on an adapter made of software nothing; `again` times all, `off` takes the
 *   defaults, and an object such as { gemv: 'lanes-1-teams-16' } says it; `model.info.choices` tells what came of it
 */

const MAX_MANIFEST_BYTES = 16 * 2 ** 20;

/** @param {string} base @param {AbortSignal} signal @returns {Promise<Manifest>} */
async function fetchManifest(base, signal) {
  const url = `${base}manifest.json`;
  const response = await request(url, { signal, cache: 'no-cache' });
  const bytes = await readWithin(response, url, { most: MAX_MANIFEST_BYTES, signal });
  return readManifest(parseJson(bytes, url), url);
}

/**
 * Looks before anything is paid for: fetches the manifest and nothing else.
 *
 * @param {string | URL} url of the artifact's folder
 * @param {LoadOptions} [options]
 * @returns {Promise<Inspection>}
 */
export async function inspect(url, options = {}) {
  checkLoadOptions(options);
  const { signal, tier } = options;
  const base = folderUrl(url);
  const manifest = await fetchManifest(base, signal ?? new AbortController().signal);
  const assessment = await assess(manifest, tier);
  const files = visitedFiles(manifest, assessment.tier);
  const cache = await ChunkCache.open();
  const cachedBytes = await cache.bytesKept(base, [files.plan, ...files.tokenizer, ...files.shards]);
  return { ...facts(manifest), ...verdict(manifest, assessment), cachedBytes };
}

/**
 * @param {string | URL} url of the artifact's folder
 * @param {LoadOptions} [options]
 * @returns {Promise<Model>}
 * @throws {errors.EngineError} a class of `errors.js`; what has arrived by then is kept for the next try
 */
export async function load(url, options = {}) {
  checkLoadOptions(options);
  const { tier, onProgress, signal, tune } = options;
  const base = folderUrl(url);
  const manifest = await fetchManifest(base, signal ?? new AbortController().signal);
  const { tier: chosen, fault } = await assess(manifest, tier);
  if (fault) throw fault;
  const total = downloadBytes(manifest, chosen);
  onProgress?.({ stage: 'manifest', loaded: 0, total });
  const client = startWorker();
  try {
    const opened = await client.call('load', { base, manifest, tier: chosen, tune }, { signal, onProgress });
    return new LoadedModel(client, manifest, opened, total);
  } catch (cause) {
    client.close(errors.typed(cause));
    throw cause;
  }
}

/** @returns {WorkerClient} */
function startWorker() {
  try {
    return new WorkerClient();
  } catch (cause) {
    throw errors.typed(cause);
  }
}

/**
 * Drops everything that earlier loads of this artifact have kept.
 *
 * @param {string | URL} url of the artifact's folder
 */
export async function forget(url) {
  const cache = await ChunkCache.open();
  await cache.prune(folderUrl(url), []);
}
