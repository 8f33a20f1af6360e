/** Tokens added beside a vocabulary: found in the text itself, before anything else looks at it. */

import { masked } from './unicode.js';

/**
 * @typedef {object} AddedToken
 * @property {number} id
 * @property {string} content
 * @property {boolean} special left out when text is made from ids
 * @property {boolean} normalized found in the normalized text, as its normalized self
 * @property {boolean} lstrip takes the white space before it
 * @property {boolean} rstrip takes the white space behind it
 * @property {boolean} single_word found only where no word goes on at either side
 */
/** @typedef {{ start: number, end: number, id: number | null }} Section `id` null: text in between */
/** @typedef {Map<string, Node>} Children */
/** @typedef {{ token: AddedToken | null, children: Children }} Node */

const WORD = '[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]';
const WORD_BEFORE = new RegExp(`${WORD}$`, 'v');
const WORD_BEHIND = new RegExp(`^${WORD}`, 'v');
const SPACE_BEHIND = /^\p{White_Space}*/u;
const SPACE = /\p{White_Space}/u;

export class AddedTokens {
  /** @param {AddedToken[]} tokens @param {(text: string) => string} written what each is looked for as */
  constructor(tokens, written) {
    /** @type {Node} */
    this.root = { token: null, children: new Map() };
    for (const token of tokens) this.add(token, written(token.content));
  }

  /** @param {AddedToken} token @param {string} text */
  add(token, text) {
    let node = this.root;
    for (const unit of text.split('')) {
      const next = node.children.get(unit) ?? { token: null, children: new Map() };
      node.children.set(unit, next);
      node = next;
    }
    if (node !== this.root) node.token ??= token;
  }

  /** @param {string} text @returns {Section[]} that cover the text */
  sections(text) {
    /** @type {Section[]} */
    const found = [];
    let end = 0;
    for (const match of this.matches(text)) {
      const { start, stop, token } = widened(text, match, end);
      if (start > end) found.push({ start: end, end: start, id: null });
      found.push({ start, end: stop, id: token.id });
      end = stop;
    }
    if (end !== text.length) found.push({ start: end, end: text.length, id: null });
    return found;
  }

  /** @param {string} text @returns {Generator<{ start: number, stop: number, token: AddedToken }>} */
  *matches(text) {
    for (let start = 0; start < text.length;) {
      const found = this.longestAt(text, start);
      if (found && !(found.token.single_word && isInWord(text, start, found.stop))) yield { start, ...found };
      start = found ? found.stop : start + 1;
    }
  }

  /** @param {string} text @param {number} start @returns {{ stop: number, token: AddedToken } | null} */
  longestAt(text, start) {
    let found = null;
    let node = this.root.children.get(text[start]);
    for (let at = start + 1; node; at++) {
      if (node.token) found = { stop: at, token: node.token };
      node = node.children.get(text[at]);
    }
    return found;
  }
}

/** @param {string} text @param {number} start @param {number} stop @returns {boolean} */
function isInWord(text, start, stop) {
  return WORD_BEFORE.test(masked(text.slice(Math.max(0, start - 2), start))) || WORD_BEHIND.test(masked(text.slice(stop, stop + 2)));
}

/**
 * @param {string} text
 * @param {{ start: number, stop: number, token: AddedToken }} match
 * @param {number} least where the last match ended
 * @returns {{ start: number, stop: number, token: AddedToken }} with the white space that it takes
 */
function widened(text, { start, stop, token }, least) {
  let from = start;
  if (token.lstrip) {
    while (from > 0 && SPACE.test(text[from - 1])) from -= 1;
    from = Math.max(from, least);
  }
  const behind = token.rstrip ? /** @type {RegExpExecArray} */ (SPACE_BEHIND.exec(text.slice(stop)))[0].length : 0;
  return { start: from, stop: stop + behind, token };
}
