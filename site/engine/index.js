/**
 * The engine's door: small language models on the visitor's own GPU, else on the CPU.
 *
 *     const model = await load('/models/minilm/', { onProgress });
 *     const [{ data }] = await model.embed(['a sentence']);
 *     for await (const { text } of model.generate('Once upon')) console.log(text);
 *     const [{ label, score }] = await model.classify('a text');
 *     const words = await model.classifyTokens('a text'); // [{ text, start, end, label, score }]
 *     const [{ token }] = await model.fillMask(`a ${model.info.maskToken} text`);
 */

import { folderUrl, pageWideBackend, readLoadOptions } from './arguments.js';
import { WorkerClient } from './client.js';
import { DownloadControl } from './download_control.js';
import * as errors from './errors.js';
import { bytesOf } from './manifest.js';
import { findManifest } from './manifest_source.js';
import { facts, Model as LoadedModel } from './model.js';
import { Library } from './storage/library.js';
import { openStore } from './storage/store.js';
import { assess, verdict } from './verdict.js';

// So that a browser asks for all at once:
import './byte_stream.js';
import './canary_format.js';
import './chat_format.js';
import './hashing.js';
import './http.js';
import './json_reader.js';
import './memory.js';
import './storage/cache_store.js';
import './storage/chunks.js';
import './storage/fill.js';
import './storage/locks.js';
import './storage/opfs_store.js';
import './storage/records.js';
import './storage/store_errors.js';

export { DownloadControl, errors };

/** @typedef {import('./manifest.js').Tier} Tier */
/** @typedef {import('./progress.js').ProgressEvent} Progress */
/** @typedef {import('./model.js').Model} Model */
/** @typedef {import('./verdict.js').Verdict} Verdict */
/** @typedef {'auto' | 'webgpu' | 'wasm'} Backend */
/** @typedef {import('./storage/library.js').KeptModel} KeptModel */
/**
 * @typedef {ReturnType<typeof facts> & Verdict & { cachedBytes: number }} Inspection the manifest's facts, the verdict
 *   for this device, and how many bytes of the download earlier loads have kept
 */

/**
 * @typedef {object} LoadOptions
 * @property {Backend} [backend] `auto` (unless said, or unless `globalThis.thistledownBackend` says it for the whole page):
 *   `webgpu` where there is a graphics processor or a tier is named, else `wasm`, on the CPU, where the site has it
 * @property {Tier} [tier] of WebGPU; the best that the device has unless said
 * @property {(event: Progress) => void} [onProgress] bytes of the whole download, never backwards
 * @property {AbortSignal} [signal]
 * @property {string} [sha256] of manifest.json, which states all other hashes: where somebody trusted says it, as a catalogue does
 * @property {DownloadControl} [control] pauses the download
 * @property {import('./choices/tuning.js').Tune} [tune] which of a model's kernels a device plays: `auto` (unless said) times
 *   what is not remembered of an earlier load, on an adapter made of software nothing; `again` times all, `off` takes the
 *   defaults, and an object such as { gemv: 'lanes-1-teams-16' } says it; `model.info.choices` tells what came of it
 */

/**
 * Looks before anything is paid for: fetches the manifest and, without a graphics processor, the description of what
 * computes in its place; nothing else.
 *
 * @param {string | URL} url of the artifact's folder
 * @param {LoadOptions | null} [options]
 * @returns {Promise<Inspection>}
 */
export async function inspect(url, options) {
  const asked = readLoadOptions(options);
  const { manifest, assessment } = await judge(folderUrl(url), asked);
  const cachedBytes = await (await library()).bytesKept(assessment.files);
  return { ...facts(manifest), ...verdict(assessment), cachedBytes };
}

/**
 * @param {string | URL} url of the artifact's folder
 * @param {LoadOptions | null} [options]
 * @returns {Promise<Model>}
 * @throws {errors.EngineError} a class of `errors.js`; what has arrived by then is kept for the next try
 */
export async function load(url, options) {
  const asked = readLoadOptions(options);
  const { onProgress, signal, control, tune } = asked;
  const base = folderUrl(url);
  const { manifest, text, assessment } = await judge(base, asked);
  const { backend, tier, fault, files, memoryBytes, runtime } = assessment;
  if (fault) throw fault;
  const total = bytesOf(files);
  onProgress?.({ stage: 'manifest', loaded: 0, total });
  const client = startWorker(backend);
  try {
    const request = { base, manifest, text, tier, tune, runtime, memoryBytes };
    const opened = await client.call('load', request, { signal, onProgress, control });
    return new LoadedModel(client, manifest, opened, total);
  } catch (cause) {
    client.close(errors.typed(cause));
    throw cause;
  }
}

/**
 * @param {string} base
 * @param {LoadOptions} options
 */
async function judge(base, { backend = pageWideBackend() ?? 'auto', tier, signal, sha256 }) {
  const found = await findManifest(base, { signal, sha256 });
  return { ...found, assessment: await assess(found.manifest, { backend, tier, signal }) };
}

/** @param {Verdict['backend']} backend @returns {WorkerClient} */
function startWorker(backend) {
  try {
    return new WorkerClient(backend);
  } catch (cause) {
    throw new errors.WorkerFailedError(`The engine's worker could not be started: ${/** @type {Error} */ (cause).message}`);
  }
}

/**
 * Drops everything that earlier loads of this artifact have kept.
 *
 * @param {string | URL} url of the artifact's folder
 */
export async function forget(url) {
  await (await library()).forget(folderUrl(url));
}

/** @returns {Promise<KeptModel[]>} what earlier loads have kept on this device, the latest used first */
export async function keptModels() {
  return (await library()).list();
}

/** @returns {Promise<Library>} */
async function library() {
  return new Library(await openStore());
}
