/** Normalizers of a tokenizer.json: each makes a text into the text that is looked up. */

import { asBytes } from './byte_level.js';
import { compilePattern } from './regex.js';
import { isMember, lowercase, normalized, without } from './unicode.js';

/** @typedef {(text: string) => string} Normalize */
/** @typedef {Record<string, any>} Part a part of a tokenizer.json, believed as far as it is used */

/** As the reference has them, gap and all. */
const IDEOGRAPHS = /[\u4E00-\u9FFF\u3400-\u4DBF\u{20000}-\u{2A6DF}\u{2A700}-\u{2B81F}\u{2B920}-\u{2CEAF}\uF900-\uFAFF\u{2F800}-\u{2FA1F}]/gu;
const NMT_REMOVED = /[\x01-\x08\x0B\x0E-\x1F\x7F\x8F\x9F]/g;
const NMT_SPACES = /[\t\n\f\r\u1680\u200B-\u200F\u2028\u2029\u2581\uFEFF\uFFFD]/g;
const LEADING = /^\p{White_Space}+/u;
const TRAILING = /(?<!\p{White_Space})\p{White_Space}+$/u;

/** @param {string} character @returns {string} */
function cleaned(character) {
  if (/[\t\n\r]/.test(character)) return ' ';
  if (character === '\0' || character === '\uFFFD' || isMember(character, 'control')) return '';
  return /\p{White_Space}/u.test(character) ? ' ' : character;
}

/** @param {Part} part @returns {Normalize} */
function bert({ clean_text: clean, handle_chinese_chars: spaced, strip_accents: strip, lowercase: lower }) {
  return (text) => {
    let out = clean ? Array.from(text, cleaned).join('') : text;
    if (spaced) out = out.replace(IDEOGRAPHS, ' $& ');
    if (strip ?? lower) out = without(normalized(out, 'NFD'), 'nonspacing');
    return lower ? lowercase(out) : out;
  };
}

/** @param {Part} part @returns {Normalize} */
function replace({ pattern, content }) {
  const expression = compilePattern(pattern);
  return (text) => text.replace(expression, () => content);
}

/** @param {Part} part @returns {Normalize} */
function strip({ strip_left: left, strip_right: right }) {
  return (text) => {
    const out = left ? text.replace(LEADING, '') : text;
    return right ? out.replace(TRAILING, '') : out;
  };
}

/** @typedef {import('./parts.js').Parts['Charsmap']} MapOrNone */

/** @type {Record<string, (part: Part, Charsmap: MapOrNone) => Normalize>} */
const KINDS = {
  BertNormalizer: bert,
  ByteLevel: () => asBytes,
  Lowercase: () => lowercase,
  NFC: () => (text) => normalized(text, 'NFC'),
  NFD: () => (text) => normalized(text, 'NFD'),
  NFKC: () => (text) => normalized(text, 'NFKC'),
  NFKD: () => (text) => normalized(text, 'NFKD'),
  Nmt: () => (text) => text.replace(NMT_REMOVED, '').replace(NMT_SPACES, ' '),
  Precompiled: ({ precompiled_charsmap: base64 }, Charsmap) => {
    const map = Charsmap && new Charsmap(base64);
    return (text) => map?.normalize(text) ?? text;
  },
  Prepend: ({ prepend }) => (text) => (text === '' ? text : prepend + text),
  Replace: replace,
  Sequence: ({ normalizers }, Charsmap) => {
    const steps = /** @type {Part[]} */ (normalizers).map((part) => makeNormalizer(part, Charsmap));
    return (text) => steps.reduce((out, step) => step(out), text);
  },
  Strip: strip,
  StripAccents: () => (text) => without(text, 'combining'),
};

/** @param {Part | null | undefined} part @param {MapOrNone} Charsmap of a normalizer that is precompiled @returns {Normalize} */
export function makeNormalizer(part, Charsmap) {
  if (!part) return (text) => text;
  if (!Object.hasOwn(KINDS, part.type)) throw new Error(`no normalizer "${part.type}" is known`);
  return KINDS[part.type](part, Charsmap);
}
