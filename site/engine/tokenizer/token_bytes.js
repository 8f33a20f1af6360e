/** The bytes that each token adds to a text, for those who must know them before the text is whole. */

import { BYTE_TOKEN, bytesOf, makeDecoder } from './decoders.js';

/** @typedef {import('./tokenizer.js').Tokenizer} Tokenizer */
/** @typedef {import('./normalizers.js').Part} Part */

/** These look at a token alone, but for the beginning of a text. */
const ALONE = ['ByteFallback', 'ByteLevel', 'Fuse', 'Metaspace', 'Replace', 'Strip'];
/** Stands before a token, so that it is not the first. */
const ANCHOR = 'a';

/** @param {Part | null | undefined} decoder @returns {Part[]} */
function stepsOf(decoder) {
  return decoder?.type === 'Sequence' ? decoder.decoders.flatMap(stepsOf) : decoder ? [decoder] : [];
}

/**
 * @param {Part | null | undefined} json the decoder of a tokenizer.json
 * @returns {(token: string) => number[]}
 * @throws {Error} where what a token adds depends on those around it
 */
function readerOf(json) {
  const steps = stepsOf(json);
  const types = steps.map(({ type }) => type);
  if (steps.length === 0 || types.some((type) => !ALONE.includes(type))) {
    throw new Error('the text of a token depends on those around it');
  }
  if (types.includes('ByteLevel')) return (token) => [...bytesOf(token)];
  const decode = makeDecoder(json);
  const fallsBack = types.includes('ByteFallback');
  return (token) => {
    const byte = fallsBack && BYTE_TOKEN.exec(token);
    if (byte) return [parseInt(byte[1], 16)];
    return [...new TextEncoder().encode(decode([ANCHOR, token]).join('').slice(ANCHOR.length))];
  };
}

/**
 * @param {Tokenizer} tokenizer
 * @returns {(id: number) => number[] | null} null for an id without a token, or with a special one
 * @throws {Error}
 */
export function tokenBytes({ decoderPart, tokens, special, cleansUp }) {
  if (cleansUp) throw new Error('spaces are taken out of its texts');
  const read = readerOf(decoderPart);
  return (id) => {
    const token = special.has(id) ? undefined : tokens.get(id);
    return token === undefined ? null : read(token);
  };
}
