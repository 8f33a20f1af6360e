/** Decoders of a tokenizer.json: tokens to pieces of text, which are then joined. */

import { CHARACTER_BYTES } from './byte_level.js';
import { prependScheme } from './pre_tokenizers.js';
import { compilePattern } from './regex.js';

/** @typedef {import('./normalizers.js').Part} Part */
/** @typedef {(tokens: string[]) => string[]} Decode */

export const BYTE_TOKEN = /^<0x([0-9a-fA-F]{2})>$/;

/** @param {string} token @returns {boolean} one byte, where bytes stand for what the vocabulary lacks */
export function isByteToken(token) {
  return BYTE_TOKEN.test(token);
}

/** @param {string} token @returns {Iterable<number>} the bytes that its characters stand for, else its own */
export function bytesOf(token) {
  const bytes = Array.from(token, (character) => CHARACTER_BYTES.get(character));
  if (bytes.every((byte) => byte !== undefined)) return /** @type {number[]} */ (bytes);
  return new TextEncoder().encode(token);
}

/** @param {string[]} tokens @returns {string[]} */
function byteLevel(tokens) {
  const bytes = Uint8Array.from(tokens.flatMap((token) => [...bytesOf(token)]));
  return [new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)];
}

/** @param {number[]} bytes @returns {string} a mark for each byte, unless they are a text */
function textOfBytes(bytes) {
  try {
    return new TextDecoder('utf-8', { ignoreBOM: true, fatal: true }).decode(Uint8Array.from(bytes));
  } catch {
    return '\uFFFD'.repeat(bytes.length);
  }
}

/** @param {string[]} tokens @returns {string[]} */
function byteFallback(tokens) {
  /** @type {string[]} */
  const texts = [];
  /** @type {number[]} */
  let bytes = [];
  for (const token of tokens) {
    const byte = BYTE_TOKEN.exec(token);
    if (byte) {
      bytes.push(parseInt(byte[1], 16));
      continue;
    }
    if (bytes.length > 0) texts.push(textOfBytes(bytes));
    texts.push(token);
    bytes = [];
  }
  return bytes.length > 0 ? [...texts, textOfBytes(bytes)] : texts;
}

/** @param {Part} part @returns {Decode} */
function metaspace(part) {
  const { replacement } = part;
  const drops = prependScheme(part) !== 'never';
  return (tokens) => tokens.map((token, i) => token.replaceAll(replacement, i === 0 && drops ? '' : ' '));
}

/** @param {Part} part @returns {Decode} */
function replace({ pattern, content }) {
  const expression = compilePattern(pattern);
  return (tokens) => tokens.map((token) => token.replace(expression, () => content));
}

/** @param {Part} part @returns {Decode} */
function strip({ content, start, stop }) {
  return (tokens) => tokens.map((token) => {
    let [from, to] = [0, token.length];
    while (from < start && token[from] === content) from += 1;
    while (token.length - to < stop && to > from && token[to - 1] === content) to -= 1;
    return token.slice(from, to);
  });
}

/** @param {string} text @returns {string} without the spaces that a tokenizer puts before punctuation */
export function cleanUp(text) {
  const pairs = [' .', ' ?', ' !', ' ,'].map((pair) => [pair, pair[1]]);
  const shortened = ["n't", "'m", "'s", "'ve", "'re"].map((end) => [` ${end}`, end]);
  return [...pairs, [" ' ", "'"], ...shortened].reduce((out, [from, to]) => out.replaceAll(from, to), text);
}

/** @param {Part} part @returns {Decode} */
function wordPiece({ prefix, cleanup }) {
  return (tokens) => tokens.map((token, i) => {
    const goesOn = i > 0 && token.startsWith(prefix);
    const text = goesOn ? token.slice(prefix.length) : i > 0 ? ` ${token}` : token;
    return cleanup ? cleanUp(text).replaceAll(' do not', " don't") : text;
  });
}

/** @param {Part} part @returns {Decode} */
function pairs({ suffix }) {
  return (tokens) => tokens.map((token, i) => token.replaceAll(suffix, i === tokens.length - 1 ? '' : ' '));
}

/** @type {Record<string, (part: Part) => Decode>} */
const KINDS = {
  BPEDecoder: pairs,
  ByteFallback: () => byteFallback,
  ByteLevel: () => byteLevel,
  Fuse: () => (tokens) => [tokens.join('')],
  Metaspace: metaspace,
  Replace: replace,
  Sequence: ({ decoders }) => {
    const steps = /** @type {Part[]} */ (decoders).map(makeDecoder);
    return (tokens) => steps.reduce((out, step) => step(out), tokens);
  },
  Strip: strip,
  WordPiece: wordPiece,
};

/** @param {Part | null | undefined} part @returns {Decode} */
export function makeDecoder(part) {
  if (!part) return (tokens) => [tokens.join(' ')];
  if (!Object.hasOwn(KINDS, part.type)) throw new Error(`no decoder "${part.type}" is known`);
  return KINDS[part.type](part);
}
