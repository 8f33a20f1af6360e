/** Pre-tokenizers of a tokenizer.json: each cuts pieces of a text into smaller ones, and may rewrite them. */

import { asBytes } from './byte_level.js';
import { compilePattern } from './regex.js';
import { cuts, masked, members } from './unicode.js';

/** @typedef {import('./normalizers.js').Part} Part */
/** @typedef {{ text: string, first: boolean }} TextPiece `first`: the whole text begins with it */
/** @typedef {(pieces: TextPiece[]) => TextPiece[]} PreTokenize */
/** @typedef {ReturnType<typeof cuts>[number]} Cut */
/** @typedef {'Isolated' | 'Removed' | 'Contiguous' | 'MergedWithPrevious' | 'MergedWithNext'} Behavior */

const GPT2 = { Regex: "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+" };
const WORDS = '[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]';

/** @param {Cut[]} found @returns {Cut[]} neighbours of one kind are one */
function contiguous(found) {
  /** @type {Cut[]} */
  const merged = [];
  for (const cut of found) {
    const last = merged[merged.length - 1];
    if (last && last.matches === cut.matches) last.end = cut.end;
    else merged.push({ ...cut });
  }
  return merged;
}

/**
 * @param {Cut[]} found in reading order, or against it
 * @param {(into: Cut, cut: Cut) => void} join
 * @returns {Cut[]} a match is part of what came before it, unless that is a match too
 */
function joined(found, join) {
  /** @type {Cut[]} */
  const merged = [];
  let afterMatch = false;
  for (const cut of found) {
    const last = merged[merged.length - 1];
    if (cut.matches && !afterMatch && last) join(last, cut);
    else merged.push({ ...cut });
    afterMatch = cut.matches;
  }
  return merged;
}

/** @type {Record<Behavior, (found: Cut[]) => Cut[]>} */
const BEHAVIORS = {
  Isolated: (found) => found,
  Removed: (found) => found.filter(({ matches }) => !matches),
  Contiguous: contiguous,
  MergedWithPrevious: (found) => joined(found, (into, cut) => { into.end = cut.end; }),
  MergedWithNext: (found) => joined(found.toReversed(), (into, cut) => { into.start = cut.start; }).reverse(),
};

/**
 * @param {(text: string) => Cut[]} cut
 * @param {Behavior} behavior towards what matches
 * @returns {PreTokenize}
 */
function splitter(cut, behavior) {
  if (!Object.hasOwn(BEHAVIORS, behavior)) throw new Error(`no behavior "${behavior}" is known`);
  return (pieces) => pieces.flatMap(({ text, first }) => {
    const kept = BEHAVIORS[behavior](cut(text)).filter(({ start, end }) => end > start);
    return kept.map(({ start, end }) => ({ text: text.slice(start, end), first: first && start === 0 }));
  });
}

/**
 * @param {RegExp} expression
 * @param {Behavior} behavior towards what matches
 * @param {boolean} [invert] towards what does not
 * @returns {PreTokenize}
 */
function patternSplitter(expression, behavior, invert = false) {
  const cut = (/** @type {string} */ text) => cuts(masked(text), expression);
  return splitter((text) => cut(text).map((each) => ({ ...each, matches: each.matches !== invert })), behavior);
}

/** @param {import('./unicode.js').Table} table @param {Behavior} behavior @returns {PreTokenize} */
function memberSplitter(table, behavior) {
  const expression = new RegExp(`[${members(table)}]`, 'gv');
  return splitter((text) => cuts(text, expression), behavior);
}

/** @param {(piece: TextPiece) => string} change @returns {PreTokenize} */
function rewriter(change) {
  return (pieces) => pieces.map((piece) => ({ text: change(piece), first: piece.first }));
}

/** @param {PreTokenize[]} steps @returns {PreTokenize} */
function inTurn(...steps) {
  return (pieces) => steps.reduce((out, step) => step(out), pieces);
}

/** @param {Part} part @returns {PreTokenize} */
function byteLevel({ add_prefix_space: prefix = true, use_regex: splits = true }) {
  const spaced = rewriter(({ text }) => (prefix && !text.startsWith(' ') ? ` ${text}` : text));
  const bytes = rewriter(({ text }) => asBytes(text));
  return splits ? inTurn(spaced, patternSplitter(compilePattern(GPT2), 'Isolated'), bytes) : inTurn(spaced, bytes);
}

/** @param {Part} part of a pre-tokenizer or decoder @returns {string} always, first or never */
export function prependScheme({ prepend_scheme: scheme, add_prefix_space: prefix }) {
  return scheme ?? (prefix === false ? 'never' : 'always');
}

/** @param {Part} part @returns {PreTokenize} */
function metaspace(part) {
  const { replacement, split = true } = part;
  const scheme = prependScheme(part);
  const marked = rewriter(({ text, first }) => {
    const out = text.replaceAll(' ', replacement);
    const prepends = scheme === 'always' || (scheme === 'first' && first);
    return prepends && !out.startsWith(replacement) ? replacement + out : out;
  });
  return split ? inTurn(marked, patternSplitter(compilePattern({ String: replacement }), 'MergedWithNext')) : marked;
}

/** @param {Part} part @returns {PreTokenize} */
function fixedLength({ length }) {
  return (pieces) => pieces.flatMap(({ text, first }) => {
    const characters = [...text];
    const count = Math.ceil(characters.length / length);
    return Array.from({ length: count }, (_, i) => ({
      text: characters.slice(i * length, (i + 1) * length).join(''), first: first && i === 0,
    }));
  });
}

const WHITE_SPACE = { Regex: '\\s' };

/** @type {Record<string, (part: Part) => PreTokenize>} */
const KINDS = {
  BertPreTokenizer: () =>
    inTurn(patternSplitter(compilePattern(WHITE_SPACE), 'Removed'), memberSplitter('punctuation', 'Isolated')),
  ByteLevel: byteLevel,
  CharDelimiterSplit: ({ delimiter }) => patternSplitter(compilePattern({ String: delimiter }), 'Removed'),
  Digits: ({ individual_digits: individual }) => memberSplitter('numeric', individual ? 'Isolated' : 'Contiguous'),
  FixedLength: fixedLength,
  Metaspace: metaspace,
  Punctuation: ({ behavior = 'Isolated' }) => memberSplitter('punctuation', behavior),
  Sequence: ({ pretokenizers }) => inTurn(.../** @type {Part[]} */ (pretokenizers).map(makePreTokenizer)),
  Split: ({ pattern, behavior, invert }) => patternSplitter(compilePattern(pattern), behavior, invert),
  Whitespace: () => patternSplitter(new RegExp(`${WORDS}+|[^${WORDS}\\p{White_Space}]+`, 'gv'), 'Removed', true),
  WhitespaceSplit: () => patternSplitter(compilePattern(WHITE_SPACE), 'Removed'),
};

/** @param {Part | null | undefined} part @returns {PreTokenize} */
export function makePreTokenizer(part) {
  if (!part) return (pieces) => pieces;
  if (!Object.hasOwn(KINDS, part.type)) throw new Error(`no pre-tokenizer "${part.type}" is known`);
  return KINDS[part.type](part);
}
