/** Characters as bytes: ranges of code points in UTF-8, and as they are written inside a string of JSON. */

import { bytes, choice, literal, sequence } from './expression.js';

/** @typedef {import('./expression.js').Expression} Expression */
/** @typedef {[number, number]} Span code points, both ends counted */

const LAST = 0x10FFFF;
const SURROGATES = /** @type {Span} */ ([0xD800, 0xDFFF]);
/** What a string of JSON must write otherwise: control characters, the quotation mark, the backslash. */
const ESCAPED = /** @type {Span[]} */ ([[0, 0x1F], [0x22, 0x22], [0x5C, 0x5C]]);

/** @param {Span[]} spans @returns {Span[]} in order, without overlaps */
function merged(spans) {
  /** @type {Span[]} */
  const out = [];
  for (const [low, high] of spans.toSorted((a, b) => a[0] - b[0])) {
    const last = out[out.length - 1];
    if (last && low <= last[1] + 1) last[1] = Math.max(last[1], high);
    else out.push([low, high]);
  }
  return out;
}

/** @param {Span[]} spans @returns {Span[]} all other characters */
export function otherThan(spans) {
  let next = 0;
  /** @type {Span[]} */
  const out = [];
  for (const [low, high] of merged(spans)) {
    if (low > next) out.push([next, low - 1]);
    next = high + 1;
  }
  return next <= LAST ? [...out, [next, LAST]] : out;
}

/** @param {Span[]} spans @param {Span[]} others @returns {Span[]} what is in both */
function common(spans, others) {
  return otherThan([...otherThan(spans), ...otherThan(others)]);
}

/**
 * Cuts a range so that in each part the bytes of a character do not depend on each other.
 *
 * @param {number} low
 * @param {number} high
 * @returns {Span[]}
 */
function independent(low, high) {
  const cut = (/** @type {number} */ at) => [...independent(low, at), ...independent(at + 1, high)];
  const length = [0x7F, 0x7FF, 0xFFFF].find((most) => low <= most && most < high);
  if (length !== undefined) return cut(length);
  for (let bits = 6; bits <= 18 && high > 0x7F; bits += 6) {
    const tail = 2 ** bits - 1;
    if ((low & ~tail) === (high & ~tail)) continue;
    if ((low & tail) !== 0) return cut(low | tail);
    if ((high & tail) !== tail) return cut((high & ~tail) - 1);
  }
  return [[low, high]];
}

/** @param {number} point @returns {Uint8Array} */
function utf8(point) {
  return new TextEncoder().encode(String.fromCodePoint(point));
}

/** @param {Span[]} spans @returns {Expression} one character of them in UTF-8 */
export function inUtf8(spans) {
  const parts = common(spans, otherThan([SURROGATES])).flatMap(([low, high]) => independent(low, high));
  return choice(...parts.map(([low, high]) => {
    const last = utf8(high);
    return sequence(...Array.from(utf8(low), (byte, i) => bytes(byte, last[i])));
  }));
}

/** @param {Span[]} spans @returns {Expression} one character of them, as JSON.stringify writes it in a string */
export function inString(spans) {
  const escaped = common(spans, ESCAPED).flatMap(([low, high]) =>
    Array.from({ length: high - low + 1 }, (_, i) => literal(JSON.stringify(String.fromCodePoint(low + i)).slice(1, -1))));
  return choice(inUtf8(common(spans, otherThan(ESCAPED))), ...escaped);
}

/** @type {Span[]} */
export const ANY = [[0, LAST]];
/** @type {Span[]} what a string of JSON may hold as it is */
export const UNESCAPED = otherThan(ESCAPED);
