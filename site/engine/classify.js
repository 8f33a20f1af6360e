/** Classes of texts, and of the words of texts. */

import { encodeAll, mostTokens } from './encode.js';
import { answerOf } from './encoder_canary.js';
import { BadArgumentError } from './errors.js';
import { largest, ranked, scoresOf } from './scores.js';
import { alignWords } from './words.js';

/** @typedef {import('./encode.js').Session} Session */
/** @typedef {import('./words.js').AlignedText} AlignedText */
/** @typedef {{ label: string, score: number }} TextClass */
/** @typedef {{ text: string, start: number, end: number, label: string, score: number }} WordClass */

export const answer = answerOf('logits');

/** @param {Session} session @returns {{ labels: string[], how: import('./scores.js').ScoreFunction }} */
function classesOf({ manifest }) {
  return { labels: manifest.labels ?? [], how: manifest.scoreFunction ?? 'softmax' };
}

/**
 * @param {Session} session of a text-classification model
 * @param {string[]} texts a longer text than the model's context is cut at its end
 * @param {AbortSignal} signal
 * @returns {Promise<TextClass[][]>} for each text every label, the best first
 */
export async function classify(session, texts, signal) {
  const { labels, how } = classesOf(session);
  const items = function* () {
    for (const text of texts) {
      const read = session.tokenizer.encodeWithin(text, mostTokens(session));
      if (read.ids.length === 0) throw new BadArgumentError('The text is empty, and the tokenizer adds nothing to it');
      yield read;
    }
  };
  /** @type {import('./encode.js').Reading<{ ids: number[] }, TextClass[]>} */
  const reading = {
    output: 'logits',
    words: (pack) => pack.length * labels.length,
    results: (pack, rows) => pack.map((_, i) => {
      const scores = scoresOf(rows.subarray(i * labels.length, (i + 1) * labels.length), how);
      return ranked(scores).map((at) => ({ label: labels[at], score: scores[at] }));
    }),
  };
  return encodeAll(session, items(), reading, signal);
}

/**
 * @param {Session} session of a token-classification model
 * @param {string[]} texts
 * @param {AbortSignal} signal
 * @returns {Promise<WordClass[][]>} for each text an entry a word, with the best label of the word's first token; words
 *   past the model's context are left out
 */
export async function classifyTokens(session, texts, signal) {
  const { labels, how } = classesOf(session);
  const read = texts.map((text) => alignWords(session.tokenizer, text, mostTokens(session)));
  /** @type {import('./encode.js').Reading<AlignedText, WordClass[]>} */
  const reading = {
    output: 'logits',
    words: (pack) => pack.reduce((sum, { ids }) => sum + ids.length, 0) * labels.length,
    results: (pack, rows) => {
      let first = 0;
      return pack.map(({ ids, words }) => {
        const start = first;
        first += ids.length;
        return words.map((word) => ({ ...spanOf(word), ...bestOf(rows, start + word.token, labels, how) }));
      });
    },
  };
  const results = await encodeAll(session, read.filter(({ ids }) => ids.length > 0), reading, signal);
  return read.map(({ ids }) => (ids.length > 0 ? /** @type {WordClass[]} */ (results.shift()) : []));
}

/** @param {import('./words.js').Word} word */
function spanOf({ text, start, end }) {
  return { text, start, end };
}

/**
 * @param {Float32Array} rows [tokens][labels]
 * @param {number} token
 * @param {string[]} labels
 * @param {import('./scores.js').ScoreFunction} how
 * @returns {TextClass}
 */
function bestOf(rows, token, labels, how) {
  const scores = scoresOf(rows.subarray(token * labels.length, (token + 1) * labels.length), how);
  const [at] = largest(scores, 1);
  return { label: labels[at], score: scores[at] };
}
