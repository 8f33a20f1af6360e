/** What a visitor's own measurement plays, and in which order. */

import { OURS } from './result.js';

/** @typedef {import('./ours.js').Ours} Ours */
/** @typedef {import('./result.js').Row} Row */
/** @typedef {{ name: string, tokens: number, once: () => Promise<number> }} Workload once gives milliseconds */
/** @typedef {{ name: string, round: number, rounds: number, done: number }} Step of a measurement, round 0 to warm up; `done` of all is over, 0 to 1 */

const PREFILLS = [32, 128, 512, 2048];
const CONTEXTS = [1024, 4096];
const ANSWER = 32;
const WORD = 'a';
const SENTENCE = 'The lightest thing that travels on the wind is a seed with a crown of fine hair. ';
const TEXTS = 64;
const WORDS = 'river stone harbour winter lantern copper meadow signal engine garden marble thunder basket ribbon compass'.split(' ');

/** Seeded, so that every visitor measures the same. @param {number} seed @returns {(below: number) => number} */
function numbers(seed) {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** @param {Ours} engine @param {number} tokens @returns {Workload} */
function prefill(engine, tokens) {
  const next = numbers(tokens);
  const ids = Array.from({ length: tokens }, () => next(engine.model.info.vocabulary));
  return { name: `prefill ${tokens}`, tokens, once: () => engine.prefill(ids) };
}

/** @param {Ours} engine @param {string} text @param {number} context @param {number} tokens @returns {Workload} */
function decode(engine, text, context, tokens) {
  const once = async () => {
    const { decodeMs, ids } = await engine.generate({ text }, tokens + 1);
    // A model may end its answer before it is as long as was asked for.
    return ids.length > 1 ? (decodeMs * tokens) / (ids.length - 1) : 0;
  };
  return { name: `decode at ${context}`, tokens, once };
}

/** @param {Ours} engine @returns {Promise<Workload[]>} */
async function writing(engine) {
  const { context } = engine.model.info;
  const fit = PREFILLS.filter((tokens) => tokens < context);
  const lengths = fit.length > 0 ? fit : [context >> 1];
  const answer = Math.min(ANSWER, context >> 1);
  // A prompt's length is known when it has been read: once a word, and where there is room for more, a sentence.
  const least = (await engine.generate({ text: WORD }, 1)).promptTokens;
  const found = [decode(engine, WORD, least, answer)];
  const far = CONTEXTS.filter((tokens) => tokens + answer < context);
  if (far.length > 0) {
    const one = (await engine.generate({ text: SENTENCE }, 1)).promptTokens;
    for (const tokens of far) {
      const repeats = Math.max(1, Math.floor(tokens / one));
      found.push(decode(engine, SENTENCE.repeat(repeats), repeats * one, answer));
    }
  }
  return [...lengths.map((tokens) => prefill(engine, tokens)), ...found];
}

/** @param {Ours} engine @returns {Promise<Workload[]>} */
async function embedding(engine) {
  const next = numbers(TEXTS);
  const texts = Array.from({ length: TEXTS }, () => Array.from({ length: 20 }, () => WORDS[next(WORDS.length)]).join(' '));
  await engine.embed({ texts });
  const tokens = engine.model.stats().embedding?.tokens ?? TEXTS;
  const once = async () => {
    const began = performance.now();
    await engine.embed({ texts });
    return performance.now() - began;
  };
  return [{ name: `embed ${TEXTS} texts`, tokens, once }];
}

/**
 * @param {Ours} engine
 * @param {{ rounds: number, signal: AbortSignal, onStep: (step: Step) => void, onRow: (rows: Row[]) => void }} how
 * @returns {Promise<Row[]>}
 */
export async function measure(engine, { rounds, signal, onStep, onRow }) {
  const writes = engine.model.info.task === 'text-generation';
  /** @type {Row[]} */
  const rows = [];
  const workloads = await (writes ? writing(engine) : embedding(engine));
  for (const [i, { name, tokens, once }] of workloads.entries()) {
    const step = (/** @type {number} */ round) => {
      signal.throwIfAborted();
      const done = (i + round / (rounds + 1)) / workloads.length;
      onStep({ name, round, rounds, done });
    };
    step(0);
    // An answer of less than two tokens has no speed.
    if (!((await once()) > 0)) continue;
    const found = [];
    for (let round = 1; round <= rounds; round++) {
      step(round);
      found.push(await once());
    }
    rows.push({ name, tokens, milliseconds: { [OURS]: found } });
    onRow(rows);
  }
  return rows;
}
