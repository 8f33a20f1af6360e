/** Grammars as data: which bytes may follow which. Rules may use themselves, so these are context-free. */

/**
 * @typedef {{ kind: 'bytes', low: number, high: number }
 *   | { kind: 'sequence', parts: Expression[] }
 *   | { kind: 'choice', parts: Expression[] }
 *   | { kind: 'repeat', part: Expression, least: number, most: number }
 *   | Rule} Expression `most` may be Infinity; a choice of no parts can never be met
 */

/** A named place for an expression, which need not be known yet. */
export class Rule {
  kind = /** @type {const} */ ('rule');

  /** @param {Expression} [body] */
  constructor(body = choice()) {
    this.body = body;
  }
}

/** @param {number} low @param {number} [high] @returns {Expression} one byte of low to high */
export function bytes(low, high = low) {
  return { kind: 'bytes', low, high };
}

/** @param {...Expression} parts @returns {Expression} */
export function sequence(...parts) {
  return { kind: 'sequence', parts };
}

/** @param {...Expression} parts @returns {Expression} */
export function choice(...parts) {
  return { kind: 'choice', parts };
}

/** @param {Expression} part @param {number} [least] @param {number} [most] @returns {Expression} */
export function repeat(part, least = 0, most = Infinity) {
  return { kind: 'repeat', part, least, most };
}

/** @param {string} text @returns {Expression} its bytes in UTF-8 */
export function literal(text) {
  return sequence(...Array.from(new TextEncoder().encode(text), (byte) => bytes(byte)));
}

/** @param {string} characters of ASCII @returns {Expression} one of them */
export function oneOf(characters) {
  return choice(...Array.from(characters, (character) => literal(character)));
}
