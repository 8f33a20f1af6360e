/** From what a caller asks of an answer to the constraint on it. What was worked out is kept for the next call. */

import { BadArgumentError } from '../errors.js';
import { tokenBytes } from '../tokenizer/token_bytes.js';
import { Constraint, Masks } from './constraint.js';
import { objectNetwork, schemaNetwork } from './schema.js';
import { Vocabulary } from './vocabulary.js';

/** @typedef {Pick<import('../session.js').Session, 'manifest' | 'tokenizer'>} Model */
/** @typedef {import('../tokenizer.js').TextTokenizer} TextTokenizer */
/**
 * @typedef {{ type: 'json_object' }
 *   | { type: 'json_schema', json_schema: { schema: unknown, strict?: boolean | null, name?: string, description?: string } }
 * } ConstraintFormat
 */
/** @typedef {{ vocabulary: Vocabulary, masks: Map<string, Masks> }} Known */

const MOST_KEPT = 8;

/** @type {WeakMap<TextTokenizer, Known>} */
const known = new WeakMap();

/** @param {Model} model @returns {Known} */
function knownOf({ tokenizer, manifest }) {
  const found = known.get(tokenizer);
  if (found) return found;
  const vocabulary = new Vocabulary(manifest.vocabulary, manifest.generation?.stopIds ?? [], bytesOfTokens(tokenizer));
  const made = { vocabulary, masks: new Map() };
  known.set(tokenizer, made);
  return made;
}

/** @param {TextTokenizer} tokenizer @returns {import('./vocabulary.js').BytesOf} */
function bytesOfTokens({ tokenizer }) {
  try {
    return tokenBytes(tokenizer);
  } catch (cause) {
    throw new BadArgumentError(`This model's tokenizer allows no constraint: ${/** @type {Error} */ (cause).message}`);
  }
}

/**
 * @param {Model} model
 * @param {ConstraintFormat} format
 * @returns {Constraint}
 * @throws {BadArgumentError}
 */
export function constraintOf(model, format) {
  const { vocabulary, masks } = knownOf(model);
  const key = JSON.stringify(format.type === 'json_schema' ? [format.json_schema.schema] : format.type);
  const found = masks.get(key) ?? new Masks(networkOf(format), vocabulary);
  masks.delete(key);
  masks.set(key, found);
  if (masks.size > MOST_KEPT) masks.delete(/** @type {string} */ (masks.keys().next().value));
  return new Constraint(found);
}

/** @param {ConstraintFormat} format @returns {import('./network.js').Network} */
function networkOf(format) {
  return format.type === 'json_schema' ? schemaNetwork(format.json_schema.schema) : objectNetwork();
}
