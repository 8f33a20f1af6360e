/** What each error code means to a visitor, and what to do next; the words are in the texts, as `problem.CODE.…`. */

import { text } from './texts.js';

/**
 * @typedef {object} Problem
 * @property {string} title
 * @property {string} why
 * @property {string} next
 * @property {string} [again] label of the button that tries again; without it trying again is pointless
 */

/** The label of the button that tries again, null where there is none. */
export const PROBLEMS = /** @type {const} */ ({
  NO_WEBGPU: null,
  INSECURE_PAGE: null,
  NO_ADAPTER: 'retry',
  GPU_BLOCKED: null,
  NO_WASM: 'retry',
  NEEDS_WEBGPU: null,
  MISSING_FEATURE: null,
  NOT_ENOUGH_MEMORY: 'retry',
  LIMIT_EXCEEDED: null,
  MANIFEST_INVALID: 'retry',
  MANIFEST_CHANGED: null,
  PLAN_INVALID: 'retry',
  OTHER_BASE: null,
  NOT_AN_ARTIFACT: 'retry',
  FILE_MISSING: 'retry',
  NETWORK_FAILED: 'retry',
  OFFLINE: 'retry',
  CONNECTION_STALLED: 'retry',
  SERVER_FAILED: 'retry',
  ACCESS_DENIED: 'retry',
  FILE_TRUNCATED: 'retry',
  FILE_CORRUPTED: 'retry',
  FILE_TOO_LONG: 'retry',
  TOKENIZER_INVALID: 'retry',
  DEVICE_LOST: 'reload',
  OUT_OF_MEMORY: 'reload',
  WRONG_RESULTS: null,
  WORKER_FAILED: 'reload',
  STATE_INVALID: null,
  INPUT_TOO_LONG: null,
  NO_CHAT_TEMPLATE: null,
  TEMPLATE_FAILED: null,
  BAD_ARGUMENT: null,
  SCHEMA_UNSUPPORTED: null,
  INTERNAL: 'reload',
  UNLOADED: 'reload',
  SITE_UNREACHABLE: 'retry',
  SITE_FILE_MISSING: 'retry',
  SITE_FILE_INVALID: 'retry',
  TEXT_UNREADABLE: null,
  TEXT_TOO_LARGE: null,
  TABLE_INVALID: null,
  LABELS_INVALID: null,
  UNKNOWN: 'retry',
});

/** How the site is started, for those who run it. */
const COMMAND = '.venv/bin/thistledown serve build/models/minilm';

/** Attributes of a line in the engine's own words. */
export const ENGLISH = { class: 'code', lang: 'en', translate: 'no' };

/**
 * @param {string} code
 * @returns {code is keyof typeof PROBLEMS}
 */
function isExplained(code) {
  return Object.hasOwn(PROBLEMS, code);
}

/**
 * @param {string} code
 * @returns {Problem}
 */
export function problemOf(code) {
  const named = code === 'NO_WEBGPU' && !window.isSecureContext ? 'INSECURE_PAGE' : code;
  const known = isExplained(named) ? named : 'UNKNOWN';
  const again = PROBLEMS[known];
  return {
    title: text(`problem.${known}.title`),
    why: text(`problem.${known}.why`),
    next: text(`problem.${known}.next`, { command: COMMAND }),
    ...(again && { again: text(again) }),
  };
}

/**
 * The exact fault, without the advice that ends the engine's messages: `next` gives it in the page's words.
 * @param {string} code
 * @param {string} message
 */
export function technicalLine(code, message) {
  return `${code}: ${message.replace(/\. [^.]*\.$/, '.')}`;
}
