/** The grammar of JSON (RFC 8259), and its parts. */

import { inUtf8, UNESCAPED } from './characters.js';
import { bytes, choice, literal, oneOf, repeat, Rule, sequence } from './expression.js';

/** @typedef {import('./expression.js').Expression} Expression */

/** So many white-space characters may stand in a row: small models like to go on with them for ever. */
const MOST_SPACE = 20;

export const SPACE = new Rule(repeat(oneOf(' \t\n\r'), 0, MOST_SPACE));

const DIGIT = bytes(0x30, 0x39);
const HEX = choice(DIGIT, bytes(0x41, 0x46), bytes(0x61, 0x66));
const HEX_OCTET = sequence(HEX, HEX);

/** An escape of four digits is never half of a surrogate pair: no text has such a character. */
const UNIT = choice(
  sequence(choice(DIGIT, oneOf('abcefABCEF')), HEX, HEX_OCTET),
  sequence(oneOf('dD'), bytes(0x30, 0x37), HEX_OCTET),
);
const PAIR = sequence(oneOf('dD'), oneOf('89abAB'), HEX_OCTET, literal('\\u'), oneOf('dD'), oneOf('cdefCDEF'), HEX_OCTET);

/** One character of a string, in any of its spellings. */
export const CHARACTER = new Rule(choice(
  inUtf8(UNESCAPED),
  sequence(literal('\\'), choice(oneOf('"\\/bfnrt'), sequence(literal('u'), choice(UNIT, PAIR)))),
));

/** @param {number} [least] characters @param {number} [most] @returns {Expression} */
export function string(least = 0, most = Infinity) {
  return sequence(literal('"'), repeat(CHARACTER, least, most), literal('"'));
}

export const INTEGER = new Rule(sequence(
  repeat(literal('-'), 0, 1), choice(literal('0'), sequence(bytes(0x31, 0x39), repeat(DIGIT))),
));

export const NUMBER = new Rule(sequence(
  INTEGER,
  repeat(sequence(literal('.'), repeat(DIGIT, 1)), 0, 1),
  repeat(sequence(oneOf('eE'), repeat(oneOf('+-'), 0, 1), repeat(DIGIT, 1)), 0, 1),
));

/**
 * @param {Expression} open
 * @param {Expression} item
 * @param {Expression} close
 * @param {{ least?: number, most?: number }} [count] of items
 * @returns {Expression} items between commas, and white space around all
 */
function list(open, item, close, { least = 0, most = Infinity } = {}) {
  const spaced = sequence(item, SPACE);
  const more = sequence(literal(','), SPACE, spaced);
  const some = sequence(spaced, repeat(more, Math.max(0, least - 1), most - 1));
  const items = [...(least === 0 ? [sequence()] : []), ...(most > 0 && most >= least ? [some] : [])];
  return sequence(open, SPACE, choice(...items), close);
}

/** @param {Expression} item @param {{ least?: number, most?: number }} [count] @returns {Expression} */
export function array(item, count) {
  return list(literal('['), item, literal(']'), count);
}

/** @param {Expression} key @param {Expression} value @returns {Expression} */
function member(key, value) {
  return sequence(key, SPACE, literal(':'), SPACE, value);
}

/** @param {Expression} value @returns {Expression} an object with any keys */
export function dictionary(value) {
  return list(literal('{'), member(string(), value), literal('}'));
}

/** @typedef {{ name: string, value: Expression, required: boolean }} Property */

/**
 * @param {Property[]} properties in the order in which they are written
 * @returns {Expression}
 */
export function object(properties) {
  let [none, some] = [new Rule(sequence()), new Rule(sequence())];
  for (const { name, value, required } of properties.toReversed()) {
    const written = sequence(member(literal(JSON.stringify(name)), value), SPACE, some);
    const first = choice(written, ...(required ? [] : [none]));
    const later = choice(sequence(literal(','), SPACE, written), ...(required ? [] : [some]));
    [none, some] = [new Rule(first), new Rule(later)];
  }
  return sequence(literal('{'), SPACE, none, literal('}'));
}

/** @param {unknown} value of JSON @returns {Expression} exactly that, but for white space */
export function exactly(value) {
  if (Array.isArray(value)) return literalList('[', value.map(exactly), ']');
  if (typeof value !== 'object' || value === null) return literal(JSON.stringify(value));
  const members = Object.entries(value).map(([key, of]) => member(literal(JSON.stringify(key)), exactly(of)));
  return literalList('{', members, '}');
}

/** @param {string} open @param {Expression[]} items @param {string} close @returns {Expression} */
function literalList(open, items, close) {
  const inside = items.flatMap((item, i) => [...(i > 0 ? [literal(','), SPACE] : []), item, SPACE]);
  return sequence(literal(open), SPACE, ...inside, literal(close));
}

/** Any value. */
export const VALUE = new Rule();
VALUE.body = choice(
  dictionary(VALUE), array(VALUE), string(), NUMBER, literal('true'), literal('false'), literal('null'),
);
