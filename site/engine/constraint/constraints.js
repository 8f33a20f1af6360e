/** From what a caller asks of an answer to the constraint on it. What was worked out is kept for the next call. */

import { BadArgumentError } from '../errors.js';
import { tokenBytes } from '../tokenizer/token_bytes.js';
import { Constraint, Masks } from './constraint.js';
import { objectNetwork, schemaNetwork } from './schema.js';
import { makeTrie } from './trie.js';

/** @typedef {import('../session.js').Session} Session */
/** @typedef {import('../tokenizer.js').TextTokenizer} TextTokenizer */
/** @typedef {import('./trie.js').BytesOf} BytesOf */
/**
 * @typedef {{ type: 'json_object' }
 *   | { type: 'json_schema', json_schema: { schema: unknown, strict?: boolean | null, name?: string, description?: string } }
 * } ConstraintFormat
 */
/** @typedef {{ bytesOf: BytesOf, trie: import('./trie.js').Trie, masks: Map<string, Masks> }} Known */

const MOST_KEPT = 8;

/** @type {WeakMap<TextTokenizer, Known>} */
const known = new WeakMap();

/** @param {Session} session @returns {Known} */
function knownOf({ tokenizer, manifest }) {
  const found = known.get(tokenizer);
  if (found) return found;
  const stops = new Set(manifest.generation?.stopIds);
  const bytesOf = cached(bytesOfTokens(tokenizer));
  const trie = makeTrie(manifest.vocabulary, (id) => (stops.has(id) ? null : bytesOf(id)));
  const made = { bytesOf, trie, masks: new Map() };
  known.set(tokenizer, made);
  return made;
}

/** @param {BytesOf} bytesOf @returns {BytesOf} */
function cached(bytesOf) {
  /** @type {Map<number, number[] | null>} */
  const found = new Map();
  return (id) => {
    const bytes = found.get(id) ?? bytesOf(id);
    found.set(id, bytes);
    return bytes;
  };
}

/** @param {TextTokenizer} tokenizer @returns {BytesOf} */
function bytesOfTokens({ tokenizer }) {
  try {
    return tokenBytes(tokenizer);
  } catch (cause) {
    throw new BadArgumentError(`This model's tokenizer allows no constraint: ${/** @type {Error} */ (cause).message}`);
  }
}

/**
 * @param {Session} session
 * @param {ConstraintFormat} format
 * @returns {Constraint}
 * @throws {BadArgumentError}
 */
export function constraintOf(session, format) {
  const { bytesOf, trie, masks } = knownOf(session);
  const key = JSON.stringify(format.type === 'json_schema' ? [format.json_schema.schema] : format.type);
  const found = masks.get(key) ?? makeMasks(session, trie, format);
  masks.delete(key);
  masks.set(key, found);
  if (masks.size > MOST_KEPT) masks.delete(/** @type {string} */ (masks.keys().next().value));
  return new Constraint(found, bytesOf);
}

/** @param {Session} session @param {import('./trie.js').Trie} trie @param {ConstraintFormat} format @returns {Masks} */
function makeMasks({ manifest }, trie, format) {
  const network = format.type === 'json_schema' ? schemaNetwork(format.json_schema.schema) : objectNetwork();
  return new Masks(network, trie, manifest.vocabulary, manifest.generation?.stopIds ?? []);
}
