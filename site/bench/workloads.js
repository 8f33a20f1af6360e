/** What a visitor's own measurement plays, and in which order. */

import { OURS } from './result.js';

/** @typedef {import('./ours.js').Ours} Ours */
/** @typedef {import('./result.js').Row} Row */
/** @typedef {{ name: string, tokens: number, once: () => Promise<number> }} Workload once gives milliseconds */

const PREFILLS = [32, 128, 512, 2048];
const CONTEXTS = [0, 1024, 4096];
const ANSWER = 32;
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

/** @param {Ours} engine @param {string} text @param {number} context @returns {Workload} */
function decode(engine, text, context) {
  const tokens = ANSWER;
  return { name: `decode at ${context}`, tokens, once: async () => (await engine.generate({ text }, tokens + 1)).decodeMs };
}

/** @param {Ours} engine @returns {Promise<Workload[]>} */
async function writing(engine) {
  const { context } = engine.model.info;
  const one = (await engine.generate({ text: SENTENCE }, 1)).promptTokens;
  const lengths = PREFILLS.filter((tokens) => tokens < context);
  const places = CONTEXTS.map((tokens) => Math.max(1, Math.floor(tokens / one)))
    .filter((repeats) => repeats * one + ANSWER + 1 < context);
  return [
    ...lengths.map((tokens) => prefill(engine, tokens)),
    ...places.map((repeats) => decode(engine, SENTENCE.repeat(repeats), repeats * one)),
  ];
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
 * @param {{ rounds: number, signal: AbortSignal, onRow: (rows: Row[], what: string) => void }} how
 * @returns {Promise<Row[]>}
 */
export async function measure(engine, { rounds, signal, onRow }) {
  const writes = engine.model.info.task === 'text-generation';
  /** @type {Row[]} */
  const rows = [];
  for (const { name, tokens, once } of await (writes ? writing(engine) : embedding(engine))) {
    onRow(rows, name);
    await once();
    const found = [];
    for (let round = 0; round < rounds; round++) {
      signal.throwIfAborted();
      found.push(await once());
    }
    rows.push({ name, tokens, milliseconds: { [OURS]: found } });
  }
  onRow(rows, '');
  return rows;
}
