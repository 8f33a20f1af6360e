/** The visitor's own labels: what they are called, and texts that are examples of each. */

import { SiteError } from '../catalogue.js';
import { text as say } from '../texts.js';

/**
 * @typedef {{ name: string, examples: string[] }} Label
 * @typedef {{ labels: Label[], least: number }} LabelSet a text that is less similar than `least` to all of them has none
 */

const FORMAT = 'thistledown-labels';
const VERSION = 1;
export const MOST_LABELS = 50;
export const MOST_EXAMPLES = 200;
const MOST_CHARACTERS = 2000;
/** Texts that have nothing to do with a label stay below it with MiniLM, see tests/whole/test_classify_page.py. */
export const USUAL_LEAST = 0.2;

/**
 * The labels that a text can get: those with a name; two of one name are one.
 * @param {Label[]} labels
 * @returns {Label[]}
 */
export function usable(labels) {
  /** @type {Map<string, string[]>} */
  const examples = new Map();
  for (const { name, examples: more } of labels) {
    if (name.trim() !== '') examples.set(name.trim(), [...(examples.get(name.trim()) ?? []), ...more]);
  }
  return [...examples].map(([name, texts]) => ({ name, examples: texts }));
}

/**
 * Examples as they are typed, one a line.
 * @param {string} lines
 */
export function examplesIn(lines) {
  const found = lines.split('\n').map((line) => line.trim().slice(0, MOST_CHARACTERS));
  return found.filter((line) => line !== '').slice(0, MOST_EXAMPLES);
}

/** @param {LabelSet} set */
export function toFile({ labels, least }) {
  return `${JSON.stringify({ format: FORMAT, version: VERSION, least, labels: usable(labels) }, null, 2)}\n`;
}

/**
 * @param {string} name of the file
 * @param {string} content
 * @returns {LabelSet}
 * @throws {SiteError} LABELS_INVALID
 */
export function fromFile(name, content) {
  const read = /** @type {Record<string, unknown> | null} */ (parsed(name, content));
  if (read?.format !== FORMAT || read.version !== VERSION || !Array.isArray(read.labels)) {
    throw invalid(say('labels.notSet', { name, format: FORMAT }));
  }
  if (read.labels.length > MOST_LABELS) throw invalid(say('labels.tooMany', { name, limit: MOST_LABELS }));
  const wrong = read.labels.findIndex((label) => !isLabel(label));
  if (wrong >= 0) throw invalid(say('labels.wrong', { name, place: wrong + 1, most: MOST_EXAMPLES, limit: MOST_CHARACTERS }));
  return { labels: read.labels.map(({ name, examples }) => ({ name, examples })), least: leastOf(read.least) };
}

/**
 * What the browser has kept, if it is a set.
 * @param {unknown} kept
 * @returns {LabelSet | null}
 */
export function revived(kept) {
  const { labels, least } = /** @type {Partial<LabelSet>} */ (kept ?? {});
  if (!Array.isArray(labels) || !labels.every(isLabel)) return null;
  return { labels: labels.slice(0, MOST_LABELS), least: leastOf(least) };
}

/** @param {string} name @param {string} content @returns {unknown} */
function parsed(name, content) {
  try {
    return JSON.parse(content);
  } catch {
    throw invalid(say('labels.notJson', { name }));
  }
}

/** @param {string} what */
function invalid(what) {
  return new SiteError('LABELS_INVALID', what);
}

/** @param {unknown} value @returns {value is Label} */
function isLabel(value) {
  const { name, examples } = /** @type {Partial<Label>} */ (value ?? {});
  return isText(name) && Array.isArray(examples) && examples.length <= MOST_EXAMPLES && examples.every(isText);
}

/** @param {unknown} value */
function isText(value) {
  return typeof value === 'string' && value.length <= MOST_CHARACTERS;
}

/** @param {unknown} least @returns {number} */
function leastOf(least) {
  return typeof least === 'number' && least >= 0 && least <= 1 ? least : USUAL_LEAST;
}
