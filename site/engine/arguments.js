/** Checks what callers pass to the door, before any work is done. */

import { DownloadControl } from './download_control.js';
import { BadArgumentError } from './errors.js';
import { TIERS } from './manifest.js';

const BACKENDS = ['auto', 'webgpu', 'wasm'];
const TUNINGS = ['auto', 'off', 'again'];
const CONSTRAINTS = ['json_object', 'json_schema'];
const MOST_LOGPROBS = 20;
const MAX_U32 = 2 ** 32 - 1;

/** @typedef {import('./generation/generate.js').GenerateOptions} GenerateOptions */
/** @typedef {import('./generation/generate.js').Prompt} Prompt */

/** @param {boolean} good @param {string} what */
function expect(good, what) {
  if (!good) throw new BadArgumentError(what);
}

/** @param {unknown} value @param {number} least @param {number} most @returns {boolean} */
function isInteger(value, least, most) {
  return Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most;
}

/**
 * @param {unknown} value
 * @param {(item: any) => boolean} good
 * @returns {boolean} a list of good ones, where a hole counts as undefined
 */
function isListOf(value, good) {
  return Array.isArray(value) && Array.from(value).every(good);
}

/** @param {string | URL} url @returns {string} the folder's address, ending in a slash */
export function folderUrl(url) {
  const given = url && (typeof url === 'string' || url instanceof URL);
  const base = given && URL.parse(url, globalThis.location.href);
  if (!base) throw new BadArgumentError(`"${url}" is not an address`);
  if (!base.pathname.endsWith('/')) base.pathname += '/';
  base.search = base.hash = '';
  return base.href;
}

/** @returns {import('./index.js').Backend | undefined} what a page, or whoever tries it out, wants of all loads that do not say */
export function pageWideBackend() {
  return /** @type {any} */ (globalThis).thistledownBackend;
}

/**
 * @template {{ signal?: AbortSignal }} T
 * @param {T | null | undefined} options null is as good as absent
 * @returns {T} with a signal that is one, if any
 */
export function readOptions(options) {
  const given = options ?? /** @type {T} */ ({});
  expect(Object(given) === given, 'options is not an object');
  optional(given.signal, (value) => value instanceof AbortSignal, 'signal is not an AbortSignal');
  return given;
}

/** @param {import('./index.js').LoadOptions | null} [asked] @returns {import('./index.js').LoadOptions} checked */
export function readLoadOptions(asked) {
  const options = readOptions(asked);
  const { backend = pageWideBackend() ?? 'auto', tier, onProgress, sha256, control, tune = 'auto' } = options;
  expect(BACKENDS.includes(backend), `backend is "${backend}", not one of ${BACKENDS.join(', ')}`);
  optional(tier, (value) => TIERS.some((name) => name === value), `tier is "${tier}", not one of ${TIERS.join(', ')}`);
  optional(onProgress, (value) => typeof value === 'function', 'onProgress is not a function');
  optional(sha256, (value) => /^[0-9a-f]{64}$/.test(String(value)), 'sha256 is not a SHA-256 in lower-case hex');
  optional(control, (value) => value instanceof DownloadControl, 'control is not a DownloadControl');
  const picks = Object(tune) === tune && Object.values(tune).every((name) => typeof name === 'string');
  expect(picks || TUNINGS.includes(/** @type {string} */ (tune)), `tune is not an object of names, nor one of ${TUNINGS.join(', ')}`);
  return options;
}

/** @param {unknown} texts */
export function checkTexts(texts) {
  expect(isListOf(texts, (text) => typeof text === 'string'), 'embed takes a list of strings');
}

/** @param {unknown} text @param {string} method @returns {string[]} the text, or the texts, as a list */
export function readTexts(text, method) {
  const texts = Array.isArray(text) ? text : [text];
  expect(isListOf(texts, (each) => typeof each === 'string'), `${method} takes a string or a list of strings`);
  return texts;
}

/** @param {unknown} state @returns {Blob} that keeps its bytes, whatever becomes of the memory they came in */
export function readState(state) {
  const good = state instanceof ArrayBuffer || ArrayBuffer.isView(state) || state instanceof Blob;
  expect(good, 'restoreState takes what saveState gave: an ArrayBuffer, a view of one, or a Blob');
  try {
    return new Blob([/** @type {BlobPart} */ (state)]);
  } catch {
    throw new BadArgumentError('The memory of the state is shared, or was given away');
  }
}

/** @param {unknown} prompt */
export function checkPrompt(prompt) {
  const good = typeof prompt === 'string' || isListOf(prompt, (message) => typeof message?.role === 'string');
  expect(good, 'generate takes a string or a list of { role, content }');
}

/** @param {Record<string, unknown>} options @returns {GenerateOptions} checked, and nothing else */
export function readGenerateOptions({ maxTokens, temperature, topK, topP, seed, stop, constraint, logprobs, tools }) {
  const stops = typeof stop === 'string' ? [stop] : stop;
  optional(maxTokens, (value) => isInteger(value, 1, MAX_U32), 'maxTokens is not a whole number of 1 or more');
  optional(temperature, (value) => Number.isFinite(value) && Number(value) >= 0, 'temperature is not 0 or more');
  optional(topK, (value) => isInteger(value, 0, MAX_U32), 'topK is not a whole number of 0 or more');
  optional(topP, (value) => typeof value === 'number' && value > 0 && Number(value) <= 1, 'topP is not above 0 and at most 1');
  optional(seed, (value) => isInteger(value, 0, MAX_U32), 'seed is not a whole number of 0 to 4294967295');
  optional(stops, isTextList, 'stop is not a text, or a list of texts, of one character or more');
  optional(logprobs, (value) => isInteger(value, 0, MOST_LOGPROBS), `logprobs is not a whole number of 0 to ${MOST_LOGPROBS}`);
  optional(tools, (value) => isListOf(value, (tool) => Object(tool) === tool), 'tools is not a list of objects');
  const asked = readConstraint(constraint);
  const sampling = { maxTokens, temperature, topK, topP, seed, stop: stops };
  return /** @type {GenerateOptions} */ ({ ...sampling, constraint: asked, logprobs, tools: tools && asJson(tools, 'tools') });
}

/** @param {any} constraint @returns {import('./constraint/constraints.js').ConstraintFormat | undefined} none for plain text */
function readConstraint(constraint) {
  if (constraint === undefined || constraint === null || constraint.type === 'text') return undefined;
  const { type, json_schema: given, ...rest } = Object(constraint);
  expect(CONSTRAINTS.includes(type), `constraint has the type "${type}", not one of text, ${CONSTRAINTS.join(', ')}`);
  const [strange] = Object.keys(rest);
  expect(strange === undefined, `constraint has "${strange}", which is not supported`);
  if (type === 'json_object') return { type };
  const good = Object(given) === given && given.schema !== undefined;
  expect(good, 'constraint has no json_schema with a schema');
  return { type, json_schema: { schema: asJson(given.schema, 'the schema of constraint') } };
}

/** @param {unknown} value @param {string} what @returns {any} a copy that can go to the worker */
function asJson(value, what) {
  try {
    return JSON.parse(JSON.stringify(value));
  } catch {
    throw new BadArgumentError(`${what} is no JSON`);
  }
}

/** @param {unknown} value @param {(value: unknown) => boolean} good @param {string} what */
function optional(value, good, what) {
  expect(value === undefined || good(value), what);
}

/** @param {unknown} value @returns {boolean} */
function isTextList(value) {
  return isListOf(value, (text) => typeof text === 'string' && text.length > 0);
}

/**
 * @param {number[]} ids
 * @param {number[] | undefined} split
 * @param {{ vocabulary: number | null, context: number }} info
 */
export function checkLogitsArguments(ids, split, { vocabulary, context }) {
  const good = isListOf(ids, (id) => isInteger(id, 0, Number(vocabulary) - 1)) && ids.length > 0;
  expect(good, `ids is not a list of one or more ids below ${vocabulary}`);
  expect(ids.length <= context, `there are ${ids.length} ids, and the model reads ${context} at most`);
  if (split === undefined) return;
  const sizes = isListOf(split, (size) => isInteger(size, 1, ids.length));
  expect(sizes && split.reduce((sum, size) => sum + size, 0) === ids.length, 'split does not add up to ids');
}
