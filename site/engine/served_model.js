/** A worker's side of a model, whatever computes: its calls, one at a time, in the order they came. */

import { serialize, throwIfAborted } from './errors.js';
import { Gate } from './transfer/gate.js';

/** @typedef {import('./client.js').Request} Request */
/** @typedef {import('./client.js').Reply} Reply */
/** @typedef {{ id: number, args: any, signal: AbortSignal, gate: Gate }} Call */
/** @typedef {Record<string, (call: Call) => Promise<void>>} Methods */
/** @typedef {any} Session of the backend */
/**
 * @typedef {object} Generating
 * @property {typeof import('./generation/generate.js').generate} generate
 * @property {(session: Session, ids: number[], split: number[] | undefined, signal: AbortSignal) =>
 *   Promise<Float32Array<ArrayBuffer>>} logits
 */
/**
 * @typedef {object} Backend
 * @property {(request: any, report: (event: import('./progress.js').ProgressEvent) => void, signal: AbortSignal,
 *   gate: Gate) => Promise<Session>} open
 * @property {(session: Session) => import('./client.js').OpenedModel} describe
 * @property {() => Promise<Generating>} generating
 * @property {(session: Session, url: string | null, signal: AbortSignal) =>
 *   Promise<{ session: Session, swap: import('./adapters/shelf.js').Swap }>} putOn an adapter
 * @property {(session: Session) => void} check throws when it gives no right results any more
 * @property {(session: Session) => unknown} close
 */

/**
 * What the engine uses of a worker's global scope.
 *
 * @typedef {object} Scope
 * @property {((event: MessageEvent<Request>) => void) | null} onmessage
 * @property {Worker['postMessage']} postMessage
 */
const scope = /** @type {Scope} */ (/** @type {unknown} */ (globalThis));

/** @type {Backend} of this worker */
let backend;
/** @type {Session | null} */
let session = null;
/** @type {Promise<unknown>} */
let tail = Promise.resolve();
/** @type {Map<number, { controller: AbortController, gate: Gate }>} */
const running = new Map();

/** @param {Reply} reply @param {Transferable[]} [transfer] */
function post(reply, transfer = []) {
  scope.postMessage(reply, transfer);
}

/** @param {Call} call */
async function load({ id, args, signal, gate }) {
  const task = /** @type {import('./manifest.js').Manifest} */ (args.manifest).task;
  const [made, opening] = await Promise.allSettled([
    METHODS_OF[task](),
    backend.open(args, (event) => post({ id, progress: event }), signal, gate),
  ]);
  if (opening.status === 'rejected') throw opening.reason;
  session = opening.value;
  if (made.status === 'rejected') throw made.reason;
  Object.assign(METHODS, made.value);
  post({ id, value: backend.describe(session) });
}

/**
 * @param {(session: Session, texts: string[], signal: AbortSignal) => Promise<unknown>} read
 * @returns {(call: Call) => Promise<void>}
 */
function reader(read) {
  return async ({ id, args, signal }) => post({ id, value: await read(opened(), args.texts, signal) });
}

/** @returns {Promise<Methods>} */
async function embedder() {
  const { embed } = await import('./embed.js');
  return {
    embed: async ({ id, args, signal }) => {
      const results = await embed(opened(), args.texts, signal);
      post({ id, value: results }, results.map(({ data }) => data.buffer));
    },
  };
}

/** @returns {Promise<Methods>} */
async function generator() {
  const { generate, logits } = await backend.generating();
  return {
    logits: async ({ id, args, signal }) => {
      const value = await logits(opened(), args.ids, args.split, signal);
      post({ id, value }, [value.buffer]);
    },
    generate: async ({ id, args, signal }) => {
      const pieces = generate(opened(), args.prompt, args.options, signal);
      for (;;) {
        const { done, value } = await pieces.next();
        if (done) return post({ id, value });
        post({ id, items: value });
      }
    },
  };
}

/** @returns {Promise<Methods>} */
async function classifier() {
  const { classify, classifyTokens } = await import('./classify.js');
  return { classify: reader(classify), classifyTokens: reader(classifyTokens) };
}

/** @returns {Promise<Methods>} */
async function filler() {
  const { fillMask } = await import('./fill_mask.js');
  return { fillMask: reader(fillMask) };
}

/**
 * What a task's calls need comes with the model, and no other task's code does.
 *
 * @type {Record<import('./manifest.js').Manifest['task'], () => Promise<Methods>>}
 */
const METHODS_OF = {
  'sentence-embedding': embedder,
  'text-generation': generator,
  'text-classification': classifier,
  'token-classification': classifier,
  'fill-mask': filler,
};

/** @returns {Session} */
function opened() {
  backend.check(session);
  return session;
}

/** @param {Call} call */
async function setAdapter({ id, args, signal }) {
  const { swap, ...put } = await backend.putOn(opened(), args.url, signal);
  session = put.session;
  post({ id, value: swap });
}

/** @type {Methods} */
const METHODS = { load, setAdapter };

/** @param {Request & { method: string }} request */
function serve({ id, method, args }) {
  const controller = new AbortController();
  const gate = new Gate();
  running.set(id, { controller, gate });
  const { signal } = controller;
  const turn = tail.then(async () => {
    throwIfAborted(signal);
    await METHODS[method]({ id, args, signal, gate });
  });
  tail = turn.catch((cause) => post({ id, error: serialize(cause) })).finally(() => running.delete(id));
}

/** @param {number} id */
async function unload(id) {
  for (const { controller } of running.values()) controller.abort();
  await tail;
  if (session) await backend.close(session);
  session = null;
  post({ id, value: null });
}

/** @param {Backend} computing what the calls of this worker come to */
export function serveModel(computing) {
  backend = computing;
  scope.onmessage = ({ data }) => {
    const call = running.get(data.id);
    if (data.method === 'abort') call?.controller.abort();
    else if (data.method === 'pause') call?.gate.pause();
    else if (data.method === 'resume') call?.gate.resume();
    else if (data.method === 'unload') unload(data.id);
    else serve(data);
  };
}
