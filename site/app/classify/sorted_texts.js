/** Texts with the labels that they got: counting, choosing and ordering them, and writing them into files. */

import { writeCsv } from './csv.js';

/**
 * @typedef {import('./sorters.js').Reading} Reading
 * @typedef {import('./sorters.js').Scored} Scored
 *
 * @typedef {object} Row
 * @property {number} place among the texts, from 1
 * @property {string} text
 * @property {Reading} reading
 * @property {Scored | null} best null before there are labels
 *
 * @typedef {'place' | 'text' | 'label' | 'score'} Order
 * @typedef {object} View which rows, in which order
 * @property {string | null | undefined} only a label, null for the texts without one, undefined for all
 * @property {Order} by
 * @property {boolean} down
 */

/**
 * @param {Scored | null | undefined} best
 * @param {number} least
 * @returns {string | null} null where no label is near enough
 */
export function labelGiven(best, least) {
  return best && best.score >= least ? best.label : null;
}

/**
 * @param {Row[]} rows
 * @param {number} least
 * @returns {Map<string | null, number>} texts of each label that has any
 */
export function countLabels(rows, least) {
  const counts = new Map();
  for (const { best } of rows) {
    const label = labelGiven(best, least);
    counts.set(label, (counts.get(label) ?? 0) + 1);
  }
  return counts;
}

/**
 * @param {Row[]} rows
 * @param {View} view
 * @param {number} least
 */
export function arranged(rows, { only, by, down }, least) {
  const chosen = only === undefined ? [...rows] : rows.filter(({ best }) => labelGiven(best, least) === only);
  const compare = ORDERS[by](least);
  return chosen.sort((one, other) => (down ? compare(other, one) : compare(one, other)));
}

const words = new Intl.Collator(document.documentElement.lang);

/** @type {Record<Order, (least: number) => (one: Row, other: Row) => number>} */
const ORDERS = {
  place: () => (one, other) => one.place - other.place,
  text: () => (one, other) => words.compare(one.text, other.text),
  label: (least) => (one, other) =>
    words.compare(labelGiven(one.best, least) ?? '', labelGiven(other.best, least) ?? '') || one.place - other.place,
  score: () => (one, other) => (one.best?.score ?? 0) - (other.best?.score ?? 0),
};

/**
 * @param {Row[]} rows
 * @param {number} least
 * @returns {string} a text without a label has an empty cell
 */
export function csvOf(rows, least) {
  const cells = rows.map(({ text, best }) => [text, labelGiven(best, least) ?? '', rounded(best?.score ?? 0)]);
  return writeCsv([['text', 'label', 'score'], ...cells]);
}

/**
 * @param {Row[]} rows
 * @param {number} least
 * @param {(reading: Reading) => Scored[]} judge
 */
export function jsonOf(rows, least, judge) {
  const objects = rows.map(({ text, best, reading }) => ({
    text,
    label: labelGiven(best, least),
    score: rounded(best?.score ?? 0),
    scores: Object.fromEntries(judge(reading).map(({ label, score }) => [label, rounded(score)])),
  }));
  return `${JSON.stringify(objects, null, 1)}\n`;
}

/** @param {number} score */
function rounded(score) {
  return Number(score.toFixed(4));
}
