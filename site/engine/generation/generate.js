/** Text generation: prompt in, pieces of text out; on the GPU with the sampling loop on it. */

import { renderChat } from '../chat.js';
import { BadArgumentError, InputTooLongError } from '../errors.js';
import { Answer } from './answer.js';
import { prefill } from './prefill.js';
import { writeSampling } from './sampling.js';
import { TextStream } from './text_stream.js';

export { answer } from './canary_answer.js';
export { logits } from './prefill.js';

/** @typedef {Pick<import('../session.js').Session, 'manifest' | 'tokenizer' | 'chatTemplate'>} Model */
/** @typedef {import('../session.js').Session | (Model & { write: Write })} Session */
/** @typedef {import('../manifest.js').Generation} Generation */
/** @typedef {import('./text_stream.js').Piece} Piece */
/** @typedef {string | import('../chat.js').Message[]} Prompt */
/**
 * @typedef {object} GenerateOptions
 * @property {number} [maxTokens] what the context leaves unless said
 * @property {number} [temperature] 0 is greedy; this and the next two are the model's own unless said
 * @property {number} [topK] 0 is off
 * @property {number} [topP]
 * @property {number} [seed] random unless said
 * @property {string[]} [stop] texts that end the answer
 * @property {import('../constraint/constraints.js').ConstraintFormat} [constraint] what the answer must be
 * @property {number} [logprobs] how many of the likeliest tokens to tell with each piece
 * @property {unknown[]} [tools] for the chat template
 */
/** @typedef {Pick<Answer, 'blocks' | 'isComplete' | 'logprobs'>} Written */
/**
 * @typedef {object} Task
 * @property {number[]} ids to be read
 * @property {number} limit of the ids to be written
 * @property {GenerateOptions & { seed: number }} options
 * @property {number[]} said of the ids to be read, those of the answer
 * @property {AbortSignal} signal
 */
/**
 * Reads a prompt, and makes the ids of the answer; what a session says that is on no GPU.
 *
 * @typedef {(session: any, task: Task) => Promise<{ answer: Written, reused: number }>} Write `reused`: ids that were read before
 */
/** @typedef {'stop' | 'stop-string' | 'length'} Finish the end token, a stop text, or no room left */
/**
 * @typedef {object} GenerationStats
 * @property {number} promptTokens
 * @property {number} reusedTokens of the prompt, which the model had seen in the call before and did not read again
 * @property {number} firstTokenMs from the call to the first token
 * @property {number} tokens shown
 * @property {number} decodeMs from the first token to the last
 * @property {Finish} finish
 */

/** @param {Model} session @param {Prompt} prompt @param {unknown[]} [tools] @returns {Promise<number[]>} too many of a prompt that is far too long, not all */
async function promptIds({ manifest, tokenizer, chatTemplate }, prompt, tools) {
  const { chat, bosId } = /** @type {Generation} */ (manifest.generation);
  const isText = typeof prompt === 'string';
  const { whole, bare } = tokenizer.read(isText ? prompt : await renderChat(prompt, chat, chatTemplate, tools), manifest.context);
  const ids = isText ? whole : bare;
  if (ids.length > 0) return ids;
  if (bosId === null) throw new BadArgumentError('The prompt is empty, and this model has no token to begin with');
  return [bosId];
}

/** @param {Model} session @param {number} length of the prompt @returns {number} tokens that the answer may have */
function roomAfter({ manifest }, length) {
  const room = manifest.context - length;
  if (room > 0) return room;
  const count = length > 2 * manifest.context ? `more than ${2 * manifest.context}` : length;
  const what = `The prompt has ${count} tokens, and the model reads ${manifest.context} at most, the answer included`;
  throw new InputTooLongError(what, { needed: length + 1, available: manifest.context });
}

/**
 * Of what looks at each token, nothing is loaded where nobody asked for it.
 *
 * @param {import('../session.js').Session} session
 * @param {Task} task
 * @returns {Promise<(prompt: number[], last: import('../plan.js').Symbols, limit: number) => Answer>}
 */
async function answerMaker(session, { options, said }) {
  if (!isLookedAt(options)) return (...begin) => new Answer(session, ...begin);
  const { SteppedAnswer, steppingFor } = await import('./stepped_answer.js');
  const stepping = await steppingFor(session, options, said);
  return (...begin) => new SteppedAnswer(session, ...begin, stepping);
}

/** @param {GenerateOptions} options @returns {boolean} whether each token is looked at before the next is chosen */
export function isLookedAt({ constraint, logprobs }) {
  return Boolean(constraint) || logprobs !== undefined;
}

/** @type {Write} */
async function writeOnGpu(session, task) {
  session.device.check();
  const { ids, limit, options, signal } = task;
  const answerOf = await answerMaker(session, task);
  writeSampling(session, options);
  const { last, reused } = await prefill(session, ids, { limit, signal });
  return { answer: answerOf(ids, last, limit), reused };
}

/**
 * @param {Written} answer
 * @param {Telling} telling
 * @param {AbortSignal} signal
 * @returns {AsyncGenerator<Piece[], Finish>}
 */
async function* readAnswer(answer, { text, said, clock, stopIds }, signal) {
  /** @type {Finish} */
  let finish = 'length';
  for await (const block of answer.blocks(signal)) {
    said.push(...block);
    const end = block.findIndex((id) => stopIds.has(id));
    const pieces = (end < 0 ? block : block.slice(0, end)).flatMap((id) => text.push(id, answer.logprobs));
    if (pieces.length > 0) yield clock.count(pieces);
    if (end >= 0 || answer.isComplete) finish = 'stop';
    if (end >= 0 || text.stopped) break;
  }
  const rest = text.finish();
  if (rest.length > 0) yield clock.count(rest);
  return text.stopped ? 'stop-string' : finish;
}

/**
 * Of an answer, what no GPU holds: with it a model goes on where another was lost. What is said is read like a prompt, and
 * random numbers come from the seed and the position, so that the tokens after it are those that would have come.
 *
 * @typedef {object} Telling
 * @property {number[]} ids of the prompt
 * @property {number[]} said ids that came
 * @property {number} limit
 * @property {GenerateOptions & { seed: number }} options
 * @property {TextStream} text
 * @property {Set<number>} stopIds
 * @property {Clock} clock
 */

/** @param {Session} session @param {Prompt} prompt @param {GenerateOptions} options @returns {Promise<Telling>} */
async function begin(session, prompt, options) {
  const began = performance.now();
  const { tokenizer, manifest } = session;
  const ids = await promptIds(session, prompt, options.tools);
  const room = roomAfter(session, ids.length);
  const seed = options.seed ?? crypto.getRandomValues(new Uint32Array(1))[0];
  return {
    ids,
    said: [],
    limit: Math.min(options.maxTokens ?? room, room),
    options: { ...options, seed },
    text: new TextStream((some) => tokenizer.decode(some), options.stop ?? [], (id) => tokenizer.isOpen(id)),
    stopIds: new Set(/** @type {Generation} */ (manifest.generation).stopIds),
    clock: new Clock(began, ids.length),
  };
}

/**
 * @param {Session} session
 * @param {Telling} telling as far as it is
 * @param {AbortSignal} signal
 * @returns {AsyncGenerator<Piece[], Finish>}
 */
async function* goOn(session, telling, signal) {
  const { options, said } = telling;
  const ids = [...telling.ids, ...said];
  const write = 'write' in session ? session.write : writeOnGpu;
  const { answer, reused } = await write(session, { ids, limit: telling.limit - said.length, options, said, signal });
  telling.clock.prompt.reusedTokens ??= reused;
  return yield* readAnswer(answer, telling, signal);
}

/**
 * @param {Session} session of a text-generation model
 * @param {Prompt} prompt
 * @param {GenerateOptions} options
 * @param {AbortSignal} signal
 * @param {(cause: unknown) => Promise<Session>} [recover] gives another session for one that failed, or throws
 * @returns {AsyncGenerator<Piece[], GenerationStats>}
 */
export async function* generate(session, prompt, options, signal, recover = rethrow) {
  const telling = await begin(session, prompt, options);
  for (let current = session; ;) {
    try {
      return telling.clock.stats(yield* goOn(current, telling, signal));
    } catch (cause) {
      current = await recover(cause);
    }
  }
}

/** @param {unknown} cause @returns {Promise<never>} */
async function rethrow(cause) {
  throw cause;
}

/** Times one answer. */
class Clock {
  /**
   * @param {number} began
   * @param {number} promptTokens
   */
  constructor(began, promptTokens) {
    this.began = began;
    /** @type {{ promptTokens: number, reusedTokens?: number }} */
    this.prompt = { promptTokens };
    this.tokens = 0;
    this.first = began;
    this.latest = began;
  }

  /** @param {Piece[]} pieces @returns {Piece[]} the same */
  count(pieces) {
    this.latest = performance.now();
    if (this.tokens === 0) this.first = this.latest;
    this.tokens += pieces.length;
    return pieces;
  }

  /** @param {Finish} finish @returns {GenerationStats} */
  stats(finish) {
    const { prompt: { promptTokens, reusedTokens = 0 }, tokens, began, first, latest } = this;
    return { promptTokens, reusedTokens, firstTokenMs: first - began, tokens, decodeMs: latest - first, finish };
  }
}
