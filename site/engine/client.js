/** The page's side of the worker: calls, streams, aborts, and errors that come back as they were thrown. */

import { AbortedError, BadArgumentError, revive, UnloadedError, WorkerFailedError } from './errors.js';

/** @typedef {{ id: number, method: string, args?: unknown }} Request `abort`, `pause` and `resume` take the id of the call */
/**
 * @typedef {object} Reply to the call `id`; `value` or `error` is the last one
 * @property {number} id
 * @property {import('./progress.js').ProgressEvent} [progress]
 * @property {import('./recovery.js').Recovery} [recovered] from the loss of a GPU; the call goes on
 * @property {unknown[]} [items]
 * @property {unknown} [value]
 * @property {import('./errors.js').ErrorData} [error]
 */
/**
 * @typedef {object} OpenedModel
 * @property {'webgpu' | 'wasm'} backend
 * @property {import('./manifest.js').Tier | null} tier null without WebGPU
 * @property {{ vendor: string, architecture: string, description: string }} adapter what computes; without WebGPU its
 *   description says so
 * @property {number} memoryBytes
 * @property {number} networkBytes that the load brought over the network; the rest was kept from earlier
 * @property {number} loadMs
 * @property {'full' | 'refused' | null} notKept why the browser keeps the download not, or not all of it
 * @property {Record<string, string>} choices family of kernels -> the way that is played
 * @property {number} tuneMs that the load spent on finding them; 0 where they were known
 * @property {number} canaryMs that it spent on the known answer; 0 where the manifest has none
 */
/** @typedef {(event: import('./progress.js').ProgressEvent) => void} OnProgress */
/**
 * @typedef {object} Pending
 * @property {(value: any) => void} resolve
 * @property {(error: import('./errors.js').EngineError) => void} reject
 * @property {OnProgress} [onProgress]
 * @property {(items: unknown[]) => void} [onItems]
 */

const WORKERS = {
  webgpu: new URL('./worker.js', import.meta.url).href,
  wasm: new URL('./wasm/worker.js', import.meta.url).href,
};

/** @param {keyof typeof WORKERS} backend @returns {string} its worker's address, in the wrapping that a Trusted Types policy asks for */
function workerUrl(backend) {
  const { trustedTypes } = /** @type {any} */ (globalThis);
  if (!trustedTypes) return WORKERS[backend];
  policy ??= trustedTypes.createPolicy('app', {
    createScriptURL: (/** @type {string} */ name) => WORKERS[/** @type {keyof typeof WORKERS} */ (name)],
  });
  return policy.createScriptURL(backend);
}

/** @type {any} a policy's name can be taken once a page */
let policy;

/** A worker that cannot unpack a message fails. */
const MOST_DEEP = 500;

/** @param {unknown} value @returns {number} levels of objects in it; bytes, such as a saved state's, have none */
function depthOf(value) {
  if (ArrayBuffer.isView(value)) return 0;
  return Object(value) === value ? 1 + Object.values(/** @type {object} */ (value)).reduce((most, each) => Math.max(most, depthOf(each)), 0) : 0;
}

export class WorkerClient {
  /** @param {keyof typeof WORKERS} backend */
  constructor(backend) {
    /** @type {Map<number, Pending>} */
    this.pending = new Map();
    this.nextId = 1;
    /** @type {import('./recovery.js').Recovery[]} all that there were */
    this.recoveries = [];
    this.closed = false;
    this.worker = new Worker(workerUrl(backend), { type: 'module', name: 'thistledown' });
    this.worker.onmessage = ({ data }) => this.receive(data);
    this.worker.onerror = (event) => {
      event.preventDefault();
      this.close(new WorkerFailedError(`The engine's worker failed: ${event.message || 'its script did not load'}`));
    };
  }

  /** @param {Reply} reply */
  receive({ id, progress, recovered, items, value, error }) {
    if (recovered) return void this.recoveries.push(recovered);
    const call = this.pending.get(id);
    if (!call) return;
    if (progress) return call.onProgress?.(progress);
    if (items) return call.onItems?.(items);
    this.pending.delete(id);
    if (error) return call.reject(revive(error));
    call.resolve(value);
  }

  /**
   * @template T
   * @param {string} method
   * @param {unknown} args
   * @param {{ signal?: AbortSignal, onProgress?: OnProgress, onItems?: (items: any[]) => void, answered?: boolean,
   *   control?: import('./download_control.js').DownloadControl }} [options] `answered`: even an abort is
   * @returns {Promise<T>}
   */
  async call(method, args, { signal, onProgress, onItems, answered, control } = {}) {
    if (this.closed) throw new UnloadedError('The model is unloaded');
    if (signal?.aborted) throw new AbortedError('The call was aborted');
    const id = this.nextId++;
    const abort = () => (answered ? this.worker.postMessage({ id, method: 'abort' }) : this.abort(id));
    signal?.addEventListener('abort', abort);
    let unfollow = () => {};
    try {
      return await new Promise((resolve, reject) => {
        this.send({ id, method, args });
        this.pending.set(id, { resolve, reject, onProgress, onItems });
        unfollow = control?.follow((paused) => this.worker.postMessage({ id, method: paused ? 'pause' : 'resume' })) ?? unfollow;
      });
    } finally {
      unfollow();
      signal?.removeEventListener('abort', abort);
    }
  }

  /** @param {Request} request */
  send(request) {
    try {
      if (depthOf(request) > MOST_DEEP) throw new RangeError('it is nested too deep');
      this.worker.postMessage(request);
    } catch (cause) {
      throw new BadArgumentError(`What ${request.method} was given cannot be copied: ${/** @type {Error} */ (cause).message}`);
    }
  }

  /** @param {number} id */
  abort(id) {
    const call = this.pending.get(id);
    if (!call) return;
    this.pending.delete(id);
    this.worker.postMessage({ id, method: 'abort' });
    call.reject(new AbortedError('The call was aborted'));
  }

  /**
   * @template T
   * @param {string} method
   * @param {unknown} args
   * @param {AbortSignal} [signal]
   * @returns {AsyncGenerator<T, any>} items as they come; returns the call's value; leaving it early aborts the call
   */
  async *stream(method, args, signal) {
    /** @type {T[]} */
    const arrived = [];
    let wake = () => {};
    const leaving = new AbortController();
    const signals = signal ? [signal, leaving.signal] : [leaving.signal];
    const onItems = (/** @type {T[]} */ items) => {
      arrived.push(...items);
      wake();
    };
    let ended = false;
    const call = this.call(method, args, { signal: AbortSignal.any(signals), onItems });
    call.catch(() => undefined).finally(() => {
      ended = true;
      wake();
    });
    try {
      while (!ended || arrived.length > 0) {
        yield* arrived.splice(0);
        if (!ended && arrived.length === 0) await new Promise((resolve) => { wake = () => resolve(undefined); });
      }
      return await call;
    } finally {
      leaving.abort();
    }
  }

  /** @param {import('./errors.js').EngineError} error for every call that still waits */
  failPending(error) {
    for (const { reject } of this.pending.values()) reject(error);
    this.pending.clear();
  }

  /** @param {import('./errors.js').EngineError} error for every call that still waits */
  close(error) {
    this.closed = true;
    this.worker.terminate();
    this.failPending(error);
  }

  /** Ends every call and lets the worker free the GPU. */
  async unload() {
    if (this.closed) return;
    const unloaded = new UnloadedError('The model was unloaded');
    this.failPending(unloaded);
    const freed = this.call('unload', null);
    this.closed = true;
    await freed.catch(() => undefined);
    this.close(unloaded);
  }
}
