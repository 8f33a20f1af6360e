/** Text generation: prompt in, pieces of text out, with the sampling loop on the GPU. */

import { renderChat } from '../chat.js';
import { BadArgumentError, InputTooLongError, throwIfAborted } from '../errors.js';
import { InFlight } from '../in_flight.js';
import { evenBlocks, prefill } from './prefill.js';
import { DONE, GENERATED } from '../step.js';
import { TextStream } from './text_stream.js';

export { logits } from './prefill.js';

/** @typedef {import('../session.js').Session} Session */
/** @typedef {import('../manifest.js').Generation} Generation */
/** @typedef {import('../plan.js').Symbols} Symbols */
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
/** @typedef {'stop' | 'stop-string' | 'length'} Finish the end token, a stop text, or no room left */
/**
 * @typedef {object} GenerationStats
 * @property {number} promptTokens
 * @property {number} firstTokenMs from the call to the first token
 * @property {number} tokens shown
 * @property {number} decodeMs from the first token to the last
 * @property {Finish} finish
 */

const MOST_PER_SUBMIT = 8;
/** A submit is kept near this long, so that text flows, aborts are quick and other pages can draw. */
const SUBMIT_MS = 40;

/** How many tokens the next submit makes: one at first, then twice as many while submits stay short. */
class Pace {
  /** @param {number} most */
  constructor(most) {
    this.most = most;
    this.tokens = 1;
    this.since = performance.now();
  }

  /** @param {number} tokens that just came */
  came(tokens) {
    const now = performance.now();
    const affordable = Math.floor((SUBMIT_MS * tokens) / (now - this.since)) || 1;
    this.tokens = Math.max(1, Math.min(this.most, this.tokens * 2, affordable));
    this.since = now;
  }
}

/** One answer on its way. */
class Generating {
  /**
   * @param {Session} session
   * @param {Symbols} last block of the prompt
   * @param {number} limit
   */
  constructor(session, last, limit) {
    this.session = session;
    this.last = last;
    this.limit = limit;
    this.ring = session.buffers.get('ring');
    this.ringLength = this.ring.size / 4;
    this.pace = new Pace(Math.min(MOST_PER_SUBMIT, this.ringLength));
    this.submitted = 0;
    this.taken = 0;
  }

  /** @returns {Promise<Uint32Array>} step, then ring */
  submit() {
    const { device, buffers, readback } = this.session;
    const encoder = device.gpu.createCommandEncoder();
    const count = this.submitted === 0 ? 1 : Math.min(this.pace.tokens, this.limit - this.submitted);
    const pass = encoder.beginComputePass();
    for (let i = 0; i < count; i++) this.recordToken(pass);
    pass.end();
    const sources = [buffers.step, this.ring].map((from) => ({ from, bytes: from.size }));
    return readback.submit(encoder, sources).then((bytes) => new Uint32Array(bytes));
  }

  /** @param {GPUComputePassEncoder} pass */
  recordToken(pass) {
    const { player } = this.session;
    const past = this.last.past + this.last.tokens + this.submitted - 1;
    const symbols = this.submitted === 0 ? this.last : { tokens: 1, past, sequences: 1 };
    player.record(pass, this.submitted === 0 ? 'head' : 'decode', symbols);
    player.record(pass, 'sample', symbols);
    this.submitted += 1;
  }

  /** @param {Uint32Array} words step, then ring @returns {number[]} ids not taken before */
  take(words) {
    const ring = words.subarray(words.length - this.ringLength);
    const ids = [];
    for (; this.taken < words[GENERATED]; this.taken++) ids.push(ring[this.taken % this.ringLength]);
    if (ids.length > 0) this.pace.came(ids.length);
    return ids;
  }

  /**
   * @param {AbortSignal} signal
   * @returns {AsyncGenerator<number[]>} ids as they come, the stop id too
   */
  async *blocks(signal) {
    const { slots } = this.session.readback;
    /** @type {InFlight<Uint32Array>} */
    const submits = new InFlight();
    try {
      for (let done = false; !done;) {
        while (submits.size < slots && this.submitted < this.limit) submits.push(this.submit());
        const words = await submits.take();
        throwIfAborted(signal);
        yield this.take(words);
        done = words[DONE] !== 0;
      }
    } finally {
      await submits.drain();
    }
  }
}

/** @param {Session} session @param {Prompt} prompt @returns {Promise<number[]>} */
async function promptIds({ manifest, tokenizer, chatTemplate }, prompt) {
  const { chat, bosId } = /** @type {Generation} */ (manifest.generation);
  const ids = typeof prompt === 'string'
    ? tokenizer.encode(prompt)
    : tokenizer.encode(await renderChat(prompt, chat, chatTemplate), false);
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
 * @param {Generating} answer
 * @param {TextStream} text
 * @param {Set<number>} stopIds
 * @param {AbortSignal} signal
 * @returns {AsyncGenerator<Piece[], Finish>}
 */
async function* readAnswer(answer, text, stopIds, signal) {
  /** @type {Finish} */
  let finish = 'length';
  for await (const block of answer.blocks(signal)) {
    const end = block.findIndex((id) => stopIds.has(id));
    const pieces = (end < 0 ? block : block.slice(0, end)).flatMap((id) => text.push(id));
    if (pieces.length > 0) yield pieces;
    if (end >= 0) finish = 'stop';
    if (end >= 0 || text.stopped) break;
  }
  const rest = text.finish();
  if (rest.length > 0) yield rest;
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
  writeSampling(session, options);
  const blocks = evenBlocks(ids.length, session.plan.symbols.tokens);
  const last = await prefill(session, ids, { blocks, limit, signal });
  const answer = new Generating(session, last, limit);
  const { tokenizer } = session;
  const text = new TextStream((some) => tokenizer.decode(some), options.stop ?? [], (id) => tokenizer.isOpen(id));
  const stopIds = new Set(/** @type {Generation} */ (session.manifest.generation).stopIds);
  const clock = new Clock(began, ids.length);
  const pieces = readAnswer(answer, text, stopIds, signal);
  for (;;) {
    const { done, value } = await pieces.next();
    if (done) return clock.stats(value);
    clock.count(value.length);
    yield value;
  }
}

/** Times one answer. */
class Clock {
  /**
   * @param {number} began
   * @param {number} promptTokens
   */
  constructor(began, promptTokens) {
    this.began = began;
    this.promptTokens = promptTokens;
    this.tokens = 0;
    this.first = began;
    this.latest = began;
  }

  /** @param {number} tokens */
  count(tokens) {
    this.latest = performance.now();
    if (this.tokens === 0) this.first = this.latest;
    this.tokens += tokens;
  }

  /** @param {Finish} finish @returns {GenerationStats} */
  stats(finish) {
    const { promptTokens, tokens } = this;
    return { promptTokens, firstTokenMs: this.first - this.began, tokens, decodeMs: this.latest - this.first, finish };
  }
}
