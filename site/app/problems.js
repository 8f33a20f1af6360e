/** What each error code means to a visitor, and what to do next. */

/**
 * @typedef {object} Problem
 * @property {string} title
 * @property {string} why
 * @property {string} next
 * @property {string} [again] label of the button that tries again; without it trying again is pointless
 */

const RETRY = 'Try again';
const RELOAD = 'Load the model again';

/** @type {Record<string, Problem>} */
export const PROBLEMS = {
  NO_WEBGPU: {
    title: 'This browser has no WebGPU',
    why: 'The model runs on the graphics processor, and WebGPU is the way to it.',
    next: 'The steps at the top of this page may help.',
  },
  INSECURE_PAGE: {
    title: 'This page is not opened securely',
    why: 'The browser gives WebGPU only to https addresses and to localhost.',
    next: 'The steps at the top of this page say how to open it.',
  },
  NO_ADAPTER: {
    title: 'The browser found no usable graphics processor',
    why: 'The driver may be blocked, or the graphics processor crashed and the browser keeps it from this page until a reload.',
    next: 'Reload the page. If that does not help, switch on hardware acceleration in the browser’s settings and restart it.',
    again: RETRY,
  },
  NO_WASM: {
    title: 'The model cannot run on the processor here',
    why: 'Without WebGPU it needs WebAssembly and a program that this site does not have, or does not let run.',
    next: 'Try a browser with WebGPU. Whoever runs this site can add what is missing.',
    again: RETRY,
  },
  NEEDS_WEBGPU: {
    title: 'This needs a graphics processor',
    why: 'The model runs on the processor here, where adapters cannot be put on.',
    next: 'Use a browser with WebGPU on a device with a graphics processor.',
  },
  MISSING_FEATURE: {
    title: 'This graphics processor lacks something the model needs',
    why: 'The artifact has no plan that works without it.',
    next: 'Try another browser or device, or a model that was exported with a base plan.',
  },
  NOT_ENOUGH_MEMORY: {
    title: 'The model does not fit on this device',
    why: 'It needs more graphics memory than is there.',
    next: 'Close other heavy tabs, or choose a smaller model.',
    again: RETRY,
  },
  LIMIT_EXCEEDED: {
    title: 'The model is beyond a limit of this graphics processor',
    why: 'One of its buffers or shaders is larger than this device allows.',
    next: 'Choose a smaller model, or try another device.',
  },
  MANIFEST_INVALID: {
    title: 'The description of this model is damaged',
    why: 'Its manifest does not say what a manifest must say, so nothing more was downloaded.',
    next: 'Whoever runs this site can export the model again.',
    again: RETRY,
  },
  PLAN_INVALID: {
    title: 'The plan of this model is damaged',
    why: 'The list of steps for the graphics processor breaks its own rules, so it was not run.',
    next: 'Whoever runs this site can export the model again.',
    again: RETRY,
  },
  OTHER_BASE: {
    title: 'This adapter belongs to another model',
    why: 'An adapter changes the weights of the one model that it was made for, and of no other.',
    next: 'Choose the model that it was made for, or another adapter.',
  },
  NOT_AN_ARTIFACT: {
    title: 'There is no model at this address',
    why: 'The server sent something else in its place, for example a sign-in page.',
    next: 'If this network asks you to sign in first, do that. Then try again.',
    again: RETRY,
  },
  FILE_MISSING: {
    title: 'A file of this model is missing on the server',
    why: 'The manifest names it, and the server does not have it. A new version may just be on its way.',
    next: 'Wait a minute and try again.',
    again: RETRY,
  },
  NETWORK_FAILED: {
    title: 'The connection failed',
    why: 'The server could not be reached, or the connection broke.',
    next: 'Check that you are online. Then try again.',
    again: RETRY,
  },
  FILE_TRUNCATED: {
    title: 'The download ended too early',
    why: 'Fewer bytes arrived than the model has, so it was not used.',
    next: 'Try again; an unsteady connection is the usual cause.',
    again: RETRY,
  },
  FILE_CORRUPTED: {
    title: 'The download arrived damaged',
    why: 'The bytes do not match the fingerprint in the manifest, so they never reached the graphics processor.',
    next: 'Try again. If it stays like this, the copy on the server is damaged.',
    again: RETRY,
  },
  FILE_TOO_LONG: {
    title: 'The server sent more than the model has',
    why: 'The file is longer than the manifest says, so it was not used.',
    next: 'Try again. If it stays like this, the copy on the server has changed.',
    again: RETRY,
  },
  TOKENIZER_INVALID: {
    title: 'The tokenizer of this model is damaged',
    why: 'The files that cut a text into tokens do not hold what they should.',
    next: 'Whoever runs this site can export the model again.',
    again: RETRY,
  },
  DEVICE_LOST: {
    title: 'The graphics processor was reset',
    why: 'A driver update, sleep, or another program can cause this. Your text is still here.',
    next: 'Load the model again.',
    again: RELOAD,
  },
  OUT_OF_MEMORY: {
    title: 'The graphics memory is full',
    why: 'The device could not give the model the memory that it needs.',
    next: 'Close other heavy tabs and load the model again, or choose a smaller model.',
    again: RELOAD,
  },
  INPUT_TOO_LONG: {
    title: 'The text is longer than this model can read',
    why: 'A model reads a fixed number of tokens; a token is about three quarters of an English word.',
    next: 'Shorten the text.',
  },
  NO_CHAT_TEMPLATE: {
    title: 'This model was not made for conversations',
    why: 'It can only continue a text.',
    next: 'Choose “Continue the text”.',
  },
  BAD_ARGUMENT: {
    title: 'One of the settings does not make sense to the model',
    why: 'A value is outside its range.',
    next: 'Check the sampling options.',
  },
  INTERNAL: {
    title: 'The engine made a mistake',
    why: 'This is a fault of the program, not yours.',
    next: 'Load the model again; if it happens again, reload the page.',
    again: RELOAD,
  },
  UNLOADED: {
    title: 'The model is no longer loaded',
    why: 'It was unloaded to free memory.',
    next: 'Load the model again.',
    again: RELOAD,
  },
  SITE_UNREACHABLE: {
    title: 'The server does not answer',
    why: 'It may have stopped, or this device is offline.',
    next: 'If you run it yourself, start it with: .venv/bin/thistledown serve build/models/minilm',
    again: RETRY,
  },
  SITE_FILE_MISSING: {
    title: 'A file of this site is missing',
    why: 'The server answered, and does not have it.',
    next: 'If you run it yourself, start it with: .venv/bin/thistledown serve build/models/minilm',
    again: RETRY,
  },
  SITE_FILE_INVALID: {
    title: 'A file of this site is damaged',
    why: 'It does not hold what it should.',
    next: 'If you run this site, write it again. Otherwise try again later.',
    again: RETRY,
  },
  TEXT_UNREADABLE: {
    title: 'This file is not plain text',
    why: 'Only UTF-8 text can be searched.',
    next: 'Save it as .txt or .md, or paste the text itself.',
  },
  TEXT_TOO_LARGE: {
    title: 'This file is too large to search here',
    why: 'Every passage goes through the model once, on your device.',
    next: 'Use a part of it.',
  },
};

/** @type {Problem} */
const UNKNOWN_PROBLEM = {
  title: 'Something went wrong that should not have',
  why: 'This is a fault of the page, not yours.',
  next: 'Try again; if it happens again, reload the page.',
  again: RETRY,
};

/**
 * @param {string} code
 * @returns {Problem}
 */
export function problemOf(code) {
  const known = code === 'NO_WEBGPU' && !window.isSecureContext ? 'INSECURE_PAGE' : code;
  return PROBLEMS[known] ?? UNKNOWN_PROBLEM;
}

/**
 * The exact fault, without the advice that ends the engine's messages: `next` gives it in the page's words.
 * @param {string} code
 * @param {string} message
 */
export function technicalLine(code, message) {
  return `${code}: ${message.replace(/\. [^.]*\.$/, '.')}`;
}
