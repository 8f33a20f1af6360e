/** Tokens on the CPU: a prompt through model.onnx block by block, an answer a token at a time, and the sampler. */

import { throwIfAborted } from '../errors.js';
import { isLookedAt } from '../generation/generate.js';
import { samplingOf } from '../generation/sampling.js';
import { sample } from './sampler.js';

/** @typedef {import('./session.js').Session} Session */
/** @typedef {import('./state_memory.js').Reading} Reading */
/** @typedef {import('../generation/generate.js').Task} Task */
/** @typedef {import('../generation/looking.js').Looking} Looking */
/** @typedef {{ reading: Reading, logits: Float32Array<ArrayBuffer> }} Step logits after the last id that was read */

/** Tokens of a block: few, so that an abort is quick; and model.onnx gives the logits of all of them. */
const MOST_TOKENS = 64;
const MOST_LOGITS = 2 ** 23;
const LOGITS = 'logits';

/**
 * @param {Session} session
 * @param {Reading} reading
 * @param {number[]} ids that come next
 * @param {boolean} last only then the logits leave WebAssembly's memory
 * @returns {Promise<Step>}
 */
async function read({ graph, manifest }, { ids: seen, states }, ids, last) {
  const wanted = [...graph.states.map(({ present }) => present), ...(last ? [LOGITS] : [])];
  const found = await graph.run(ids, states, seen.length, wanted);
  const next = Object.fromEntries(graph.states.map(({ past, present }) => [past, found[present]]));
  const all = /** @type {Float32Array<ArrayBuffer>} */ (last ? found[LOGITS].data : new Float32Array());
  return { reading: { ids: [...seen, ...ids], states: next }, logits: all.slice(-manifest.vocabulary) };
}

/**
 * @param {Session} session
 * @param {number[]} ids
 * @param {{ blocks?: number[], signal: AbortSignal }} options `blocks`: their sizes
 * @returns {Promise<Step & { reused: number }>}
 */
async function prefill(session, ids, { blocks = [], signal }) {
  const { memory, manifest } = session;
  const most = Math.max(1, Math.min(MOST_TOKENS, Math.floor(MOST_LOGITS / manifest.vocabulary)));
  const sizes = [...blocks];
  let reading = memory.beginning(ids);
  const reused = reading.ids.length;
  for (;;) {
    throwIfAborted(signal);
    const from = reading.ids.length;
    const block = ids.slice(from, from + (sizes.shift() ?? most));
    const last = from + block.length === ids.length;
    if (last) memory.save(reading);
    const step = await read(session, reading, block, last);
    if (last) return { ...step, reused };
    reading = step.reading;
  }
}

/**
 * @param {Session} session of a text-generation model
 * @param {number[]} ids
 * @param {number[] | undefined} blocks their sizes; what fits unless said
 * @param {AbortSignal} signal
 * @returns {Promise<Float32Array<ArrayBuffer>>} logits [vocabulary] after the last id, from empty states
 */
export async function logits(session, ids, blocks, signal) {
  session.memory.forget();
  const step = await prefill(session, ids, { blocks, signal });
  session.memory.hold(step.reading);
  return step.logits;
}

/** One answer on its way. */
class Answer {
  /** @param {Session} session @param {Step} step after the prompt @param {Task} task @param {Looking | null} looking */
  constructor(session, step, { limit, options }, looking) {
    this.session = session;
    this.step = step;
    this.limit = limit;
    this.sampling = samplingOf(session, options);
    this.looking = looking;
    /** The answer is whole though no end token came. */
    this.isComplete = false;
    /** @type {import('../generation/text_stream.js').Likelihoods | null} of the id that came last, where they are wanted */
    this.logprobs = null;
  }

  /** @param {AbortSignal} signal @returns {AsyncGenerator<number[]>} ids one by one, the stop id too */
  async *blocks(signal) {
    try {
      for (let left = this.limit; left > 0; left--) {
        throwIfAborted(signal);
        const id = this.next();
        yield [id];
        if (left === 1 || this.isComplete || this.sampling.stopIds.includes(id)) return;
        this.step = await read(this.session, this.step.reading, [id], true);
      }
    } finally {
      this.session.memory.hold(this.step.reading);
    }
  }

  /** @returns {number} the id that was drawn */
  next() {
    const { looking, sampling, step: { reading, logits: all } } = this;
    const id = sample(looking?.narrowed(all) ?? all, sampling, reading.ids.length);
    this.logprobs = looking?.look(id, all) ?? null;
    this.isComplete = looking?.isComplete ?? false;
    return id;
  }
}

/** @type {import('../generation/generate.js').Write} */
export async function write(session, task) {
  const looking = isLookedAt(task.options) ? await lookingAt(session, task) : null;
  const { reused, ...step } = await prefill(session, task.ids, task);
  return { reused, answer: new Answer(session, step, task, looking) };
}

/** @param {Session} session @param {Task} task @returns {Promise<Looking>} */
async function lookingAt(session, { options, said }) {
  const { lookingFor } = await import('../generation/looking.js');
  return lookingFor(session, options, said);
}
