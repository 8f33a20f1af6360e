/** A worker's side of a model, whatever computes: its calls, one at a time, in the order they came. */

import { serialize, throwIfAborted } from './errors.js';
import { Gate } from './transfer/gate.js';

/** @typedef {import('./client.js').Request} Request */
/** @typedef {import('./client.js').Reply} Reply */
/** @typedef {{ id: number, args: any, signal: AbortSignal, gate: Gate }} Call */
/** @typedef {Record<string, (call: Call) => Promise<void>>} Methods */
/** @typedef {import('./canary.js').Answer} Answer */
/** @typedef {{ methods: Methods, answer: Answer }} TaskCalls what a task can, and its known answer */
/** @typedef {any} Session of the backend */
/**
 * @typedef {object} Opening
 * @property {(event: import('./progress.js').ProgressEvent) => void} report
 * @property {AbortSignal} signal
 * @property {Gate} gate
 * @property {() => Promise<Answer>} answering
 * @property {(recovery: import('./recovery.js').Recovery) => void} onRecovered
 */
/**
 * @typedef {object} Held a model that is open
 * @property {Session} session
 * @property {<T>(use: (session: Session) => Promise<T>, signal: AbortSignal) => Promise<T>} run
 * @property {() => void} finished a call that was not run so came to its end
 * @property {(cause: unknown, signal: AbortSignal) => Promise<Session>} recover gives another session for one that failed, or throws
 * @property {(url: string | null, signal: AbortSignal) => Promise<import('./adapters/shelf.js').Swap>} setAdapter
 * @property {() => Promise<void>} destroy
 */
/**
 * @typedef {object} Backend what computes
 * @property {(request: any, opening: Opening) => Promise<Held>} open
 * @property {(session: Session) => import('./client.js').OpenedModel} describe
 * @property {() => Promise<Generating>} generating
 * @property {() => Promise<Keeping>} keeping
 */
/**
 * @typedef {object} Keeping of states
 * @property {(held: any, signal: AbortSignal) => Promise<ArrayBuffer>} saveState
 * @property {(held: any, state: any, signal: AbortSignal) => Promise<number>} restoreState
 */
/**
 * @typedef {object} Generating
 * @property {Answer} answer
 * @property {typeof import('./generation/generate.js').generate} generate
 * @property {(session: Session, ids: number[], split: number[] | undefined, signal: AbortSignal) =>
 *   Promise<Float32Array<ArrayBuffer>>} logits
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
/** @type {Held | null} */
let model = null;
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
  const making = METHODS_OF[task]();
  const [opening, made] = await Promise.allSettled([
    backend.open(args, {
      report: (event) => post({ id, progress: event }),
      signal,
      gate,
      answering: async () => (await making).answer,
      onRecovered: (recovered) => post({ id, recovered }),
    }),
    making,
  ]);
  if (opening.status === 'rejected') throw opening.reason;
  model = opening.value;
  if (made.status === 'rejected') throw made.reason;
  Object.assign(METHODS, made.value.methods);
  post({ id, value: backend.describe(model.session) });
}

/**
 * @param {(session: Session, texts: string[], signal: AbortSignal) => Promise<unknown>} read
 * @returns {(call: Call) => Promise<void>}
 */
function reader(read) {
  return async ({ id, args, signal }) => {
    post({ id, value: await opened().run((session) => read(session, args.texts, signal), signal) });
  };
}

/** @returns {Promise<TaskCalls>} */
async function embedder() {
  const { embed, answer } = await import('./embed.js');
  const methods = {
    embed: async (/** @type {Call} */ { id, args, signal }) => {
      const results = await opened().run((session) => embed(session, args.texts, signal), signal);
      post({ id, value: results }, results.map(({ data }) => data.buffer));
    },
  };
  return { methods, answer };
}

/** @returns {Promise<TaskCalls>} */
async function generator() {
  const { answer, generate, logits } = await backend.generating();
  const methods = {
    logits: async (/** @type {Call} */ { id, args, signal }) => {
      const value = await opened().run((session) => logits(session, args.ids, args.split, signal), signal);
      post({ id, value }, [value.buffer]);
    },
    generate: async (/** @type {Call} */ { id, args, signal }) => {
      const recover = (/** @type {unknown} */ cause) => opened().recover(cause, signal);
      const pieces = generate(opened().session, args.prompt, args.options, signal, recover);
      for (;;) {
        const { done, value } = await pieces.next();
        if (done) opened().finished();
        if (done) return post({ id, value });
        post({ id, items: value });
      }
    },
    saveState: async (/** @type {Call} */ { id, signal }) => {
      const { saveState } = await backend.keeping();
      const value = await saveState(opened(), signal);
      post({ id, value }, [value]);
    },
    restoreState: async (/** @type {Call} */ { id, args, signal }) => {
      const { restoreState } = await backend.keeping();
      post({ id, value: await restoreState(opened(), args.state, signal) });
    },
  };
  return { methods, answer };
}

/** @returns {Promise<TaskCalls>} */
async function classifier() {
  const { answer, classify, classifyTokens } = await import('./classify.js');
  return { methods: { classify: reader(classify), classifyTokens: reader(classifyTokens) }, answer };
}

/** @returns {Promise<TaskCalls>} */
async function filler() {
  const { answer, fillMask } = await import('./fill_mask.js');
  return { methods: { fillMask: reader(fillMask) }, answer };
}

/**
 * What a task's calls need comes with the model, and no other task's code does.
 *
 * @type {Record<import('./manifest.js').Manifest['task'], () => Promise<TaskCalls>>}
 */
const METHODS_OF = {
  'sentence-embedding': embedder,
  'text-generation': generator,
  'text-classification': classifier,
  'token-classification': classifier,
  'fill-mask': filler,
};

/** @returns {Held} */
function opened() {
  return /** @type {Held} */ (model);
}

/** @param {Call} call */
async function setAdapter({ id, args, signal }) {
  post({ id, value: await opened().setAdapter(args.url, signal) });
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
  await model?.destroy();
  model = null;
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
