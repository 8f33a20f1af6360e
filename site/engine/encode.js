/** Reads texts: many of them packed end to end into each play of the phase `encode`, results in the order of the texts. */

import { throwIfAborted } from './errors.js';
import { InFlight } from './in_flight.js';
import { writeStep } from './step.js';

/**
 * What plays a pack in the place of the GPU; gives so many words of the output, end to end as in the pack.
 *
 * @typedef {(session: any, pack: Item[], output: string, words: number) => Promise<Float32Array<ArrayBuffer>>} Play
 */
/** @typedef {Pick<import('./session.js').Session, 'manifest' | 'tokenizer'>} Model */
/** @typedef {{ plan: { symbols: Record<string, number> }, readback: { slots: number }, play: Play }} Elsewhere */
/** @typedef {import('./session.js').Session | (Model & Elsewhere)} Session */
/** @typedef {{ ids: number[], rows?: number[] }} Item a text, and which of its tokens the output is wanted of, if some */
/**
 * What a task reads from its plays.
 *
 * @template {Item} I
 * @template R
 * @typedef {object} Reading
 * @property {string} output the plan's buffer, f32
 * @property {(pack: I[]) => number} words of the output that belong to a pack
 * @property {(pack: I[], output: Float32Array<ArrayBuffer>) => R[]} results one for each item
 */

/** @param {Item} item @returns {number} rows of the output, of those that count sequences */
function rowsOf({ rows }) {
  return rows ? rows.length : 1;
}

/**
 * @template {Item} I
 * @param {Session} session
 * @param {Iterable<I>} items each of which fits one play
 * @returns {Generator<I[]>} in order, as many at a time as one play holds
 */
function* packs({ plan }, items) {
  const { tokens, sequences } = plan.symbols;
  /** @type {I[]} */
  let pack = [];
  let [used, rows] = [0, 0];
  for (const item of items) {
    if (rows + rowsOf(item) > sequences || used + item.ids.length > tokens) {
      yield pack;
      [pack, used, rows] = [[], 0, 0];
    }
    pack.push(item);
    used += item.ids.length;
    rows += rowsOf(item);
  }
  if (pack.length > 0) yield pack;
}

/** @param {Item[]} pack @returns {Record<string, number[]>} the inputs of one play */
function inputsOf(pack) {
  const bounds = [0];
  for (const { ids } of pack) bounds.push(bounds[bounds.length - 1] + ids.length);
  return {
    ids: pack.flatMap(({ ids }) => ids),
    positions: pack.flatMap(({ ids }) => ids.map((_, i) => i)),
    sequence_of: pack.flatMap(({ ids }, sequence) => ids.map(() => sequence)),
    bounds,
    rows: pack.flatMap(({ rows }, sequence) => (rows ?? []).map((row) => bounds[sequence] + row)),
  };
}

/** @type {Play} */
async function playOnGpu(session, pack, output, words) {
  const { device, buffers, player, readback } = /** @type {import('./session.js').Session} */ (session);
  const inputs = inputsOf(pack);
  for (const [name, values] of Object.entries(inputs)) {
    const target = buffers.find(name);
    if (target && values.length > 0) device.gpu.queue.writeBuffer(target, 0, new Uint32Array(values));
  }
  const sequences = pack.reduce((sum, item) => sum + rowsOf(item), 0);
  const symbols = { tokens: inputs.ids.length, past: 0, sequences };
  writeStep(session, symbols, 0);
  const encoder = device.gpu.createCommandEncoder();
  player.play(encoder, 'encode', symbols);
  return new Float32Array(await readback.submit(encoder, [{ from: buffers.get(output), bytes: words * 4 }]));
}

/**
 * @template {Item} I
 * @template R
 * @param {Session} session
 * @param {I[]} pack
 * @param {Reading<I, R>} reading
 * @returns {Promise<R[]>}
 */
async function play(session, pack, { output, words, results }) {
  const played = 'play' in session ? session.play : playOnGpu;
  return results(pack, await played(session, pack, output, words(pack)));
}

/**
 * @template {Item} I
 * @template R
 * @param {Session} session of an encoder
 * @param {Iterable<I>} items of one token or more, at most as many tokens and rows as the plan's symbols allow
 * @param {Reading<I, R>} reading
 * @param {AbortSignal} signal
 * @returns {Promise<R[]>} in order
 */
export async function encodeAll(session, items, reading, signal) {
  /** @type {R[]} */
  const results = [];
  /** @type {InFlight<R[]>} */
  const plays = new InFlight();
  try {
    for (const pack of packs(session, items)) {
      throwIfAborted(signal);
      plays.push(play(session, pack, reading));
      if (plays.size === session.readback.slots) results.push(...(await plays.take()));
    }
    while (plays.size > 0) results.push(...(await plays.take()));
    return results;
  } finally {
    await plays.drain();
  }
}

/** @param {Session} session @returns {number} tokens that are read of one text, special ones counted */
export function mostTokens({ manifest, plan }) {
  return Math.min(manifest.context, plan.symbols.tokens);
}
