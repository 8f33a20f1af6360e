/**
 * Unicode as the reference tokenizers know it. Their parts follow different, older versions than the browser; the
 * tables hold what differs, so that a text has the same ids in every browser.
 */

import { TABLES } from './unicode_tables.js';

/** @typedef {keyof typeof TABLES} Table */

/** Never assigned, in no version: stands for a code point that the reference does not know yet. */
const UNKNOWN = '\uFFFE';
const UNKNOWN_PAIR = '\u{1FFFE}';

/**
 * @template T
 * @param {(...names: Table[]) => T} make
 * @returns {(...names: Table[]) => T} made once for the same names
 */
function kept(make) {
  /** @type {Map<string, T>} */
  const made = new Map();
  return (...names) => {
    const key = names.join();
    const found = made.get(key) ?? make(...names);
    made.set(key, found);
    return found;
  };
}

/** The inside of a character class. */
export const members = kept((name) => {
  let next = 0;
  const numbers = TABLES[name].split(' ').map((digits) => parseInt(digits, 36));
  let inside = '';
  for (let i = 0; i < numbers.length; i += 2) {
    const first = next + numbers[i];
    const last = first + numbers[i + 1];
    inside += `\\u{${first.toString(16)}}-\\u{${last.toString(16)}}`;
    next = last + 1;
  }
  return inside;
});

const single = kept((name) => new RegExp(`[${members(name)}]`, 'v'));
const each = kept((...names) => new RegExp(`[${names.map((name) => members(name)).join('')}]`, 'gv'));

/** @param {string} character @param {Table} table @returns {boolean} */
export function isMember(character, table) {
  return single(table).test(character);
}

/** @param {string} text @param {Table} table @returns {string} without the table's members */
export function without(text, table) {
  return text.replace(each(table), '');
}

/**
 * @param {string} text
 * @returns {string} of the same length, where what the reference does not know is nothing that the browser knows
 */
export function masked(text) {
  return text.replace(each('unassigned'), (found) => (found.length === 2 ? UNKNOWN_PAIR : UNKNOWN));
}

/** @param {string} text @param {RegExp} expression */
export function cuts(text, expression) {
  const found = [];
  let end = 0;
  for (const { 0: { length }, index } of text.matchAll(expression)) {
    if (index > end) found.push({ start: end, end: index, matches: false });
    found.push({ start: index, end: index + length, matches: true });
    end = index + length;
  }
  if (end < text.length) found.push({ start: end, end: text.length, matches: false });
  return found;
}

/** @param {string} text @param {RegExp} expression runs exhaust the stack @param {(run: string) => string} change */
function changed(text, expression, change) {
  return cuts(text, expression).map(({ start, end, matches }) => (matches ? String : change)(text.slice(start, end))).join('');
}

/** @param {string} text @param {'NFC' | 'NFD' | 'NFKC' | 'NFKD'} form @returns {string} */
export function normalized(text, form) {
  return changed(text, each('unassigned', 'unnormalized'), (run) => run.normalize(form));
}

/** @param {string} text @returns {string} a capital sigma has one small form, wherever it stands */
export function lowercase(text) {
  const moved = (/** @type {number} */ by) => (/** @type {string} */ character) =>
    String.fromCodePoint(/** @type {number} */ (character.codePointAt(0)) + by);
  return changed(text.replaceAll('Σ', 'σ'), each('unassigned'), (run) => run.toLowerCase())
    .replace(each('lowerBy1'), moved(1)).replace(each('lowerBy27'), moved(27));
}
