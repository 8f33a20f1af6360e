/** Text generation: prompt in, pieces of text out; on the GPU with the sampling loop on it. */

import { renderChat } from '../chat.js';
import { BadArgumentError, InputTooLongError } from '../errors.js';
import { Answer } from './answer.js';
import { prefill } from './prefill.js';
import { TextStream } from './text_stream.js';

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
 */
/** @typedef {{ temperature: number, topK: number, topP: number, seed: number }} Sampling */
/** @typedef {{ ids: number[], limit: number, sampling: Sampling, signal: AbortSignal }} Task `ids` of the prompt, `limit` of the answer */
/**
 * Reads a prompt and makes the ids of the answer, the stop id too.
 *
 * @typedef {(session: any, task: Task) => Promise<{ reused: number, blocks: AsyncGenerator<number[]> }>} Write
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

/** @param {Model} session @param {Prompt} prompt @returns {Promise<number[]>} */
async function promptIds({ manifest, tokenizer, chatTemplate }, prompt) {
  const { chat, bosId } = /** @type {Generation} */ (manifest.generation);
  const ids = typeof prompt === 'string'
    ? tokenizer.encode(prompt)
    : tokenizer.encode(await renderChat(prompt, chat, chatTemplate), false);
  if (ids.length > 0) return ids;
  if (bosId === null) throw new BadArgumentError('The prompt is empty, and this model has no token to begin with');
  return [bosId];
}

/** @param {Model} session @param {number} length of the prompt @returns {number} tokens that the answer may have */
function roomAfter({ manifest }, length) {
  const room = manifest.context - length;
  if (room > 0) return room;
  const what = `The prompt has ${length} tokens, and the model reads ${manifest.context} at most, the answer included`;
  throw new InputTooLongError(what, { needed: length + 1, available: manifest.context });
}

/** @param {Model} session @param {GenerateOptions} options @returns {Sampling} */
function samplingOf({ manifest }, options) {
  const usual = /** @type {Generation} */ (manifest.generation);
  return {
    temperature: options.temperature ?? usual.temperature,
    topK: options.topK ?? usual.topK,
    topP: options.topP ?? usual.topP,
    seed: options.seed ?? crypto.getRandomValues(new Uint32Array(1))[0],
  };
}

/** @param {import('../session.js').Session} session @param {Sampling} sampling */
function writeSampling({ manifest, device, buffers }, { temperature, topK, topP, seed }) {
  const words = new DataView(new ArrayBuffer(buffers.sampling.size));
  words.setFloat32(0, temperature, true);
  words.setFloat32(4, topP, true);
  words.setUint32(8, topK, true);
  words.setUint32(12, seed, true);
  device.gpu.queue.writeBuffer(buffers.sampling, 0, words);
  const { stopIds } = /** @type {Generation} */ (manifest.generation);
  device.gpu.queue.writeBuffer(buffers.get('stops'), 0, Uint32Array.of(stopIds.length, ...stopIds));
}

/** @type {Write} */
async function writeOnGpu(session, { ids, limit, sampling, signal }) {
  writeSampling(session, sampling);
  const { last, reused } = await prefill(session, ids, { limit, signal });
  return { reused, blocks: new Answer(session, ids, last, limit).blocks(signal) };
}

/**
 * @param {AsyncGenerator<number[]>} blocks
 * @param {TextStream} text
 * @param {Set<number>} stopIds
 * @param {Clock} clock
 * @returns {AsyncGenerator<Piece[], Finish>}
 */
async function* readAnswer(blocks, text, stopIds, clock) {
  /** @type {Finish} */
  let finish = 'length';
  for await (const block of blocks) {
    const end = block.findIndex((id) => stopIds.has(id));
    const pieces = (end < 0 ? block : block.slice(0, end)).flatMap((id) => text.push(id));
    if (pieces.length > 0) yield clock.count(pieces);
    if (end >= 0) finish = 'stop';
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
  const ids = await promptIds(session, prompt);
  const room = roomAfter(session, ids.length);
  const limit = Math.min(options.maxTokens ?? room, room);
  const write = 'write' in session ? session.write : writeOnGpu;
  const { reused, blocks } = await write(session, { ids, limit, sampling: samplingOf(session, options), signal });
  const { tokenizer } = session;
  const text = new TextStream((some) => tokenizer.decode(some), options.stop ?? [], (id) => tokenizer.isOpen(id));
  const stopIds = new Set(/** @type {Generation} */ (session.manifest.generation).stopIds);
  const clock = new Clock(began, ids.length, reused);
  return clock.stats(yield* readAnswer(blocks, text, stopIds, clock));
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
