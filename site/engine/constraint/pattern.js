/**
 * Regular expressions of a schema's `pattern` as grammars: characters, classes, groups, alternatives and counts; anchors
 * only around a whole alternative. What looks around, back or at words is refused.
 */

import { ANY, inString, otherThan } from './characters.js';
import { choice, literal, repeat, Rule, sequence } from './expression.js';

/** @typedef {import('./expression.js').Expression} Expression */
/** @typedef {import('./characters.js').Span} Span */

const DIGITS = /** @type {Span[]} */ ([[0x30, 0x39]]);
const WORDS = /** @type {Span[]} */ ([[0x30, 0x39], [0x41, 0x5A], [0x5F, 0x5F], [0x61, 0x7A]]);
const LINE_ENDS = /** @type {Span[]} */ ([[0x0A, 0x0A], [0x0D, 0x0D], [0x2028, 0x2029]]);
const SPACES = /** @type {Span[]} */ ([
  [0x09, 0x0D], [0x20, 0x20], [0xA0, 0xA0], [0x1680, 0x1680], [0x2000, 0x200A], [0x2028, 0x2029],
  [0x202F, 0x202F], [0x205F, 0x205F], [0x3000, 0x3000], [0xFEFF, 0xFEFF],
]);
/** @type {Record<string, Span[]>} */
const CLASSES = {
  d: DIGITS, D: otherThan(DIGITS), w: WORDS, W: otherThan(WORDS), s: SPACES, S: otherThan(SPACES),
};
/** @type {Record<string, number>} */
const CONTROLS = { t: 0x09, n: 0x0A, v: 0x0B, f: 0x0C, r: 0x0D };
const COUNT = /^\{(\d{1,6})(?:(,)(\d{1,6})?)?\}/;
const HEX = /^(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]{1,6})\})/;
const MOST_NESTED = 64;

const ANYTHING = new Rule(repeat(inString(ANY)));

class PatternParser {
  /** @param {string} pattern @param {(what: string) => never} refuse */
  constructor(pattern, refuse) {
    this.pattern = pattern;
    this.refuse = refuse;
    this.at = 0;
    this.depth = 0;
  }

  get rest() {
    return this.pattern.slice(this.at);
  }

  /** @param {string} text @returns {boolean} it came next, and is passed */
  take(text) {
    const comes = this.pattern.startsWith(text, this.at);
    if (comes) this.at += text.length;
    return comes;
  }

  /** @returns {Expression} */
  whole() {
    const parts = [this.anchored()];
    while (this.take('|')) parts.push(this.anchored());
    if (this.at < this.pattern.length) this.refuse(`has a "${this.rest[0]}" where none can be`);
    return choice(...parts);
  }

  /** @returns {Expression} what stands between anchors, and anything where there are none */
  anchored() {
    const before = this.take('^') ? [] : [ANYTHING];
    const inside = this.alternative();
    const behind = this.take('$') ? [] : [ANYTHING];
    return sequence(...before, inside, ...behind);
  }

  /** @returns {Expression} */
  alternative() {
    const parts = [];
    while (this.at < this.pattern.length && !/^(?:[|)]|\$(?:\||$))/.test(this.rest)) parts.push(this.counted());
    return sequence(...parts);
  }

  /** @returns {Expression} */
  counted() {
    const part = this.atom();
    const [least, most] = this.count();
    if (least === 1 && most === 1) return part;
    this.take('?');
    if (/^[*+?]|^\{\d/.test(this.rest)) this.refuse('counts what is counted already');
    return repeat(new Rule(part), least, most);
  }

  /** @returns {[number, number]} */
  count() {
    if (this.take('*')) return [0, Infinity];
    if (this.take('+')) return [1, Infinity];
    if (this.take('?')) return [0, 1];
    const found = COUNT.exec(this.rest);
    if (!found) return [1, 1];
    this.at += found[0].length;
    const [, least, comma, most] = found;
    return [Number(least), most === undefined ? (comma ? Infinity : Number(least)) : Number(most)];
  }

  /** @returns {Expression} */
  atom() {
    if (this.take('(')) return this.group();
    if (this.take('[')) return inString(this.set());
    if (this.take('.')) return inString(otherThan(LINE_ENDS));
    if (/^[*+?{}\]^$]/.test(this.rest)) this.refuse(`has a "${this.rest[0]}" that is not supported there`);
    return inString(this.take('\\') ? this.escape() : this.character());
  }

  /** @returns {Expression} */
  group() {
    if (this.take('?') && !this.take(':')) this.refuse(`has the group "(?${this.rest.slice(0, 2)}", which is not supported`);
    if (++this.depth > MOST_NESTED) this.refuse('is nested too deeply');
    const parts = [this.alternative()];
    while (this.take('|')) parts.push(this.alternative());
    if (!this.take(')')) this.refuse('has a group that does not end, or an anchor inside one');
    this.depth -= 1;
    return choice(...parts);
  }

  /** @returns {Span[]} */
  character() {
    const point = /** @type {number} */ (this.pattern.codePointAt(this.at));
    this.at += String.fromCodePoint(point).length;
    return [[point, point]];
  }

  /** @returns {Span[]} behind the backslash */
  escape() {
    const hex = HEX.exec(this.rest);
    const sign = this.rest[0] ?? '';
    this.at += hex ? hex[0].length : 1;
    if (Object.hasOwn(CLASSES, sign)) return CLASSES[sign];
    const point = hex ? parseInt(hex[1] ?? hex[2] ?? hex[3], 16) : CONTROLS[sign] ?? sign.codePointAt(0);
    if (point === undefined || point > 0x10FFFF || (!hex && /[0-9A-Za-z]/.test(sign) && !(sign in CONTROLS))) {
      this.refuse(`has "\\${sign}", which is not supported`);
    }
    return [[Number(point), Number(point)]];
  }

  /** @returns {Span[]} a class in brackets */
  set() {
    const negated = this.take('^');
    /** @type {Span[]} */
    const spans = [];
    while (!this.take(']')) {
      if (this.at >= this.pattern.length) this.refuse('has a class that does not end');
      spans.push(...this.range());
    }
    return negated ? otherThan(spans) : spans;
  }

  /** @returns {Span[]} */
  range() {
    const first = this.member();
    if (!/^-[^\]]/.test(this.rest)) return first;
    this.take('-');
    const last = this.member();
    const isCharacter = [first, last].every((spans) => spans.length === 1 && spans[0][0] === spans[0][1]);
    if (!isCharacter || first[0][0] > last[0][0]) this.refuse('has a range in a class that is none');
    return [[first[0][0], last[0][0]]];
  }

  /** @returns {Span[]} */
  member() {
    if (!this.take('\\')) return this.character();
    return this.take('b') ? [[0x08, 0x08]] : this.take('-') ? [[0x2D, 0x2D]] : this.escape();
  }
}

/**
 * @param {string} pattern
 * @param {(what: string) => never} refuse
 * @returns {Expression} strings of JSON, in quotation marks, in which the pattern is found
 */
export function matching(pattern, refuse) {
  return sequence(literal('"'), new PatternParser(pattern, refuse).whole(), literal('"'));
}
