/** Sentence embeddings. */

import { encodeAll, mostTokens } from './encode.js';
import { answerOf } from './encoder_canary.js';

/** @typedef {import('./encode.js').Session} Session */
/** @typedef {{ ids: number[], truncated: boolean }} Encoded */
/** @typedef {{ data: Float32Array<ArrayBuffer>, tokens: number, truncated: boolean }} Embedding */

export const answer = answerOf('embedding');

/**
 * @param {Session} session of a sentence-embedding model
 * @param {string[]} texts
 * @param {AbortSignal} signal
 * @returns {Promise<Embedding[]>} in order; `truncated` where a text was longer than the model's context; a text without
 *   a token gets zeros
 */
export async function embed(session, texts, signal) {
  const width = session.manifest.dimensions ?? 0;
  /** @type {(Encoded | null)[]} */
  const empty = [];
  const encoded = function* () {
    for (const text of texts) {
      const read = session.tokenizer.encodeWithin(text, mostTokens(session));
      empty.push(read.ids.length > 0 ? null : read);
      if (read.ids.length > 0) yield read;
    }
  };
  /** @type {import('./encode.js').Reading<Encoded, Embedding>} */
  const reading = {
    output: 'embedding',
    words: (pack) => pack.length * width,
    results: (pack, rows) => pack.map(({ ids, truncated }, i) =>
      ({ data: rows.slice(i * width, (i + 1) * width), tokens: ids.length, truncated })),
  };
  const results = await encodeAll(session, encoded(), reading, signal);
  const zeros = () => ({ data: new Float32Array(width), tokens: 0, truncated: false });
  return empty.map((none) => (none ? zeros() : /** @type {Embedding} */ (results.shift())));
}
