/** Text generation: prompt in, pieces of text out, with the sampling loop on the GPU. */

import { renderChat } from '../chat.js';
import { BadArgumentError, InputTooLongError } from '../errors.js';
import { Answer } from './answer.js';
import { prefill } from './prefill.js';
import { TextStream } from './text_stream.js';

export { logits } from './prefill.js';

/** @typedef {import('../session.js').Session} Session */
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

/** @param {Session} session @param {Prompt} prompt @param {unknown[]} [tools] @returns {Promise<number[]>} */
async function promptIds({ manifest, tokenizer, chatTemplate }, prompt, tools) {
  const { chat, bosId } = /** @type {Generation} */ (manifest.generation);
  const ids = typeof prompt === 'string'
    ? tokenizer.encode(prompt)
    : tokenizer.encode(await renderChat(prompt, chat, chatTemplate, tools), false);
  if (ids.length > 0) return ids;
  if (bosId === null) throw new BadArgumentError('The prompt is empty, and this model has no token to begin with');
  return [bosId];
}

/** @param {Session} session @param {number} length of the prompt @returns {number} tokens that the answer may have */
function roomAfter({ manifest }, length) {
  const room = manifest.context - length;
  if (room > 0) return room;
  const what = `The prompt has ${length} tokens, and the model reads ${manifest.context} at most, the answer included`;
  throw new InputTooLongError(what, { needed: length + 1, available: manifest.context });
}

/** @param {Session} session @param {GenerateOptions} options */
function writeSampling({ manifest, device, buffers }, { temperature, topK, topP, seed }) {
  const usual = /** @type {Generation} */ (manifest.generation);
  const words = new DataView(new ArrayBuffer(buffers.sampling.size));
  words.setFloat32(0, temperature ?? usual.temperature, true);
  words.setFloat32(4, topP ?? usual.topP, true);
  words.setUint32(8, topK ?? usual.topK, true);
  words.setUint32(12, seed ?? crypto.getRandomValues(new Uint32Array(1))[0], true);
  device.gpu.queue.writeBuffer(buffers.sampling, 0, words);
  const stops = Uint32Array.of(usual.stopIds.length, ...usual.stopIds);
  device.gpu.queue.writeBuffer(buffers.get('stops'), 0, stops);
}

/**
 * Of what looks at each token, nothing is loaded where nobody asked for it.
 *
 * @param {Session} session
 * @param {GenerateOptions} options
 * @returns {Promise<(prompt: number[], last: import('../plan.js').Symbols, limit: number) => Answer>}
 */
async function answerMaker(session, options) {
  if (!options.constraint && options.logprobs === undefined) return (...begin) => new Answer(session, ...begin);
  const { lookingFor, SteppedAnswer } = await import('./stepped_answer.js');
  const looking = await lookingFor(session, options);
  return (...begin) => new SteppedAnswer(session, ...begin, looking);
}

/**
 * @param {Answer} answer
 * @param {TextStream} text
 * @param {Set<number>} stopIds
 * @param {Clock} clock
 * @param {AbortSignal} signal
 * @returns {AsyncGenerator<Piece[], Finish>}
 */
async function* readAnswer(answer, text, stopIds, clock, signal) {
  /** @type {Finish} */
  let finish = 'length';
  for await (const block of answer.blocks(signal)) {
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
 * @param {Session} session of a text-generation model
 * @param {Prompt} prompt
 * @param {GenerateOptions} options
 * @param {AbortSignal} signal
 * @returns {AsyncGenerator<Piece[], GenerationStats>}
 */
export async function* generate(session, prompt, options, signal) {
  const began = performance.now();
  const begin = await answerMaker(session, options);
  const ids = await promptIds(session, prompt, options.tools);
  const room = roomAfter(session, ids.length);
  const limit = Math.min(options.maxTokens ?? room, room);
  writeSampling(session, options);
  const { last, reused } = await prefill(session, ids, { limit, signal });
  const answer = begin(ids, last, limit);
  const { tokenizer } = session;
  const text = new TextStream((some) => tokenizer.decode(some), options.stop ?? [], (id) => tokenizer.isOpen(id));
  const stopIds = new Set(/** @type {Generation} */ (session.manifest.generation).stopIds);
  const clock = new Clock(began, ids.length, reused);
  return clock.stats(yield* readAnswer(answer, text, stopIds, clock, signal));
}

/** Times one answer. */
class Clock {
  /**
   * @param {number} began
   * @param {number} promptTokens
   * @param {number} reusedTokens
   */
  constructor(began, promptTokens, reusedTokens) {
    this.began = began;
    this.prompt = { promptTokens, reusedTokens };
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
    const { prompt, tokens, began, first, latest } = this;
    return { ...prompt, firstTokenMs: first - began, tokens, decodeMs: latest - first, finish };
  }
}
