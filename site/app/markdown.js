/**
 * Markdown as elements. marked only reads it; no HTML is ever made or parsed: a tag in the text is shown as text, a picture as
 * a link to it, and an address that is neither web nor mail as text.
 */

import { element } from './dom.js';
import { Lexer } from './vendor/marked.mjs';

/** @typedef {import('./vendor/marked.mjs').Token} Token */
/** @typedef {{ raw: string, node: () => Node }} Block `raw` is its source; the node is made when it is asked for */

/** Of longer paragraphs marked takes seconds where they are made to be hard; they are shown as they are. */
const MOST_INLINE = 2000;
const SAFE = /^(?:https?:|mailto:)/i;
const ENTITIES = /&(amp|lt|gt|quot|#39|nbsp);/g;
/** @type {Record<string, string>} */
const MEANING = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", nbsp: '\u00a0' };

/**
 * @param {string} markdown
 * @returns {Block[]} paragraphs, headings, lists and so on, in order
 */
export function readBlocks(markdown) {
  const lexer = new Lexer();
  const source = markdown.replace(/\r\n?/g, '\n');
  try {
    lexer.blockTokens(source, lexer.tokens);
  } catch {
    // Quotations a thousand deep are more than the stack holds.
    return [{ raw: source, node: () => element('p', {}, source) }];
  }
  const waiting = new Map(lexer.inlineQueue.map(({ src, tokens }) => [tokens, src]));
  const read = new Reader(lexer, waiting);
  return lexer.tokens
    .filter(({ type }) => type !== 'space' && type !== 'def')
    .map((token) => ({ raw: token.raw, node: () => read.block(token) }));
}

class Reader {
  /**
   * @param {Lexer} lexer
   * @param {Map<Token[], string>} waiting texts whose inline tokens have not been read
   */
  constructor(lexer, waiting) {
    this.lexer = lexer;
    this.waiting = waiting;
  }

  /** @param {Token} token @returns {Node} */
  block(token) {
    switch (token.type) {
      case 'heading': return element(HEADINGS[(token.depth ?? 1) - 1] ?? 'h6', {}, ...this.inline(token));
      case 'paragraph': return element('p', {}, ...this.inline(token));
      case 'blockquote': return element('blockquote', {}, ...(token.tokens ?? []).map((each) => this.block(each)));
      case 'code': return codeBlock(token);
      case 'list': return this.list(token);
      case 'table': return this.table(token);
      case 'hr': return element('hr');
      case 'space': case 'def': return document.createTextNode('');
      case 'text': return element('span', {}, ...this.inline(token));
      case 'checkbox': return document.createTextNode(token.checked ? '☑ ' : '☐ ');
      default: return element('p', {}, token.raw);
    }
  }

  /** @param {Token} token */
  list({ ordered, start, items = [] }) {
    const rows = items.map((item) => element('li', {}, ...(item.tokens ?? []).map((each) => this.block(each))));
    return ordered ? element('ol', { start: start || 1 }, ...rows) : element('ul', {}, ...rows);
  }

  /** @param {Token} token */
  table({ header = [], rows = [], align = [] }) {
    const row = (/** @type {Token[]} */ cells, /** @type {'th' | 'td'} */ tag) => element('tr', {},
      ...cells.map((cell, i) => element(tag, { class: align[i] ?? false }, ...this.inline(cell))));
    const body = element('tbody', {}, ...rows.map((cells) => row(cells, 'td')));
    const table = element('table', {}, element('thead', {}, row(header, 'th')), body);
    return element('div', { class: 'scrolling', tabindex: 0 }, table);
  }

  /** @param {Token} token @returns {Node[]} */
  inline(token) {
    const { tokens, text = token.raw } = token;
    if (!tokens) return [plain(text)];
    const source = this.waiting.get(tokens);
    if (source === undefined) return tokens.map((each) => this.span(each));
    if (source.length > MOST_INLINE) return [plain(source)];
    this.waiting.delete(tokens);
    return this.readInline(source, tokens).map((each) => this.span(each));
  }

  /** @param {string} source @param {Token[]} tokens @returns {Token[]} */
  readInline(source, tokens) {
    try {
      return this.lexer.inlineTokens(source, tokens);
    } catch {
      return [{ type: 'html', raw: source }];
    }
  }

  /** @param {Token} token @returns {Node} */
  span(token) {
    switch (token.type) {
      case 'strong': return element('strong', {}, ...this.inline(token));
      case 'em': return element('em', {}, ...this.inline(token));
      case 'del': return element('del', {}, ...this.inline(token));
      case 'codespan': return element('code', {}, token.text ?? '');
      case 'br': return element('br');
      case 'link': return link(token, this.inline(token));
      case 'image': return link(token, [plain(token.text || token.href || '')]);
      case 'escape': return document.createTextNode(token.text ?? '');
      case 'text': return token.tokens ? element('span', {}, ...this.inline(token)) : plain(token.text ?? '');
      default: return document.createTextNode(token.raw);
    }
  }
}

const HEADINGS = /** @type {const} */ (['h4', 'h5', 'h6', 'h6', 'h6', 'h6']);

/** @param {Token} token @returns {HTMLElement} */
function codeBlock({ text = '', lang = '' }) {
  return element('pre', { tabindex: 0, 'data-language': lang.split(/\s/)[0] ?? '' }, element('code', {}, text));
}

/** @param {Token} token @param {Node[]} words @returns {Node} */
function link({ href = '' }, words) {
  if (!SAFE.test(href)) return element('span', {}, ...words);
  return element('a', { href, target: '_blank', rel: 'noopener noreferrer nofollow', title: href }, ...words);
}

/** @param {string} text as Markdown writes it @returns {Text} */
function plain(text) {
  return document.createTextNode(text.replace(ENTITIES, (whole, name) => MEANING[name] ?? whole));
}
