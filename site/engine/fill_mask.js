/** What may stand where a text has the mask token. */

import { encodeAll, mostTokens } from './encode.js';
import { answerOf } from './encoder_canary.js';
import { BadArgumentError, InputTooLongError, TokenizerInvalidError } from './errors.js';
import { largest, softmax } from './scores.js';

/** @typedef {import('./encode.js').Session} Session */
/** @typedef {{ token: string, id: number, score: number }} Filling */
/** @typedef {{ ids: number[], rows: number[] }} Masked a text, and where its masks are */

export const answer = answerOf('logits', true);

const BEST = 5;

/** @param {Session} session @returns {number} */
function maskId({ manifest, tokenizer }) {
  const ids = tokenizer.encode(manifest.maskToken ?? '', false);
  if (ids.length === 1) return ids[0];
  throw new TokenizerInvalidError(`tokenizer.json does not know ${manifest.maskToken} as one token`);
}

/** @param {Session} session @param {string} text @param {number} mask @returns {Masked} */
function masked(session, text, mask) {
  const { ids, truncated } = session.tokenizer.encodeWithin(text, mostTokens(session));
  const rows = ids.flatMap((id, i) => (id === mask ? [i] : []));
  if (rows.length > 0) return { ids, rows };
  const needed = session.tokenizer.encode(text);
  if (truncated && needed.includes(mask)) {
    const what = `The text has ${needed.length} tokens, and its mask comes after the ${ids.length} that the model reads`;
    throw new InputTooLongError(what, { needed: needed.length, available: ids.length });
  }
  throw new BadArgumentError(`The text has no ${session.manifest.maskToken}, which marks what is to be filled in`);
}

/** @param {Masked} text @param {number} most @returns {Masked[]} the text with at most so many of its masks at a time */
function portions({ ids, rows }, most) {
  const starts = Array.from({ length: Math.ceil(rows.length / most) }, (_, i) => i * most);
  return starts.map((start) => ({ ids, rows: rows.slice(start, start + most) }));
}

/** @param {Session} session @param {Float32Array} logits [vocabulary] @returns {Filling[]} the best first */
function fillings({ tokenizer }, logits) {
  const scores = softmax(logits);
  return largest(scores, BEST).map((id) => ({ token: tokenizer.tokenOf(id), id, score: scores[id] }));
}

/**
 * @param {Session} session of a fill-mask model
 * @param {string[]} texts each with one mask token or more
 * @param {AbortSignal} signal
 * @returns {Promise<Filling[][][]>} for each text, for each of its masks, the five best
 */
export async function fillMask(session, texts, signal) {
  const { vocabulary } = session.manifest;
  const mask = maskId(session);
  const read = texts.map((text) => masked(session, text, mask));
  const items = read.flatMap((text) => portions(text, session.plan.symbols.sequences));
  /** @type {import('./encode.js').Reading<Masked, Filling[][]>} */
  const reading = {
    output: 'logits',
    words: (pack) => pack.reduce((sum, { rows }) => sum + rows.length, 0) * vocabulary,
    results: (pack, output) => {
      let row = 0;
      return pack.map(({ rows }) => rows.map(() => {
        row += 1;
        return fillings(session, output.subarray((row - 1) * vocabulary, row * vocabulary));
      }));
    },
  };
  const found = (await encodeAll(session, items, reading, signal)).flat();
  return read.map(({ rows }) => found.splice(0, rows.length));
}
