/** What looks at each token of an answer before the next is chosen: a constraint, and who wants to know its likelihood. */

import { constraintOf } from '../constraint/constraints.js';
import { allows } from '../constraint/vocabulary.js';
import { BadArgumentError } from '../errors.js';
import { likelihoods, spellerOf } from './log_probabilities.js';

/** @typedef {import('./generate.js').Model} Model */
/** @typedef {import('./generate.js').GenerateOptions} GenerateOptions */
/** @typedef {import('../constraint/constraint.js').Constraint} Constraint */

export class Looking {
  /**
   * @param {Model} model
   * @param {Constraint | null} constraint
   * @param {number | null} likeliest how many tokens are told beside the one taken; null where not even that is
   */
  constructor({ manifest, tokenizer }, constraint, likeliest) {
    this.constraint = constraint;
    this.likeliest = likeliest;
    this.spell = spellerOf(tokenizer);
    this.stopIds = new Set(manifest.generation?.stopIds);
  }

  /** @returns {boolean} the document of the constraint is whole */
  get isComplete() {
    return this.constraint?.isComplete === true;
  }

  /** @returns {import('../constraint/constraint.js').Mask | null} of the tokens that may come next; null where all may */
  get allowed() {
    const mask = this.constraint?.mask ?? null;
    if (!mask?.every((word) => word === 0)) return mask;
    throw new BadArgumentError('No token of this model can go on with the answer under its constraint');
  }

  /** @param {Float32Array} logits @returns {Float32Array} of which no number is left to what may not come next */
  narrowed(logits) {
    const { allowed } = this;
    return allowed ? logits.map((value, id) => (allows(allowed, id) ? value : NaN)) : logits;
  }

  /**
   * @param {number} id that was taken
   * @param {Float32Array | null} logits that it was drawn from
   * @returns {import('./text_stream.js').Likelihoods | null}
   */
  look(id, logits) {
    if (!this.stopIds.has(id)) this.constraint?.take(id);
    return logits && this.likeliest !== null ? likelihoods(logits, id, this.likeliest, this.spell) : null;
  }
}

/**
 * @param {Model} model
 * @param {GenerateOptions} options
 * @param {number[]} said of the answer already: the constraint goes on behind it
 * @returns {Looking} made before the prompt is read, so that a constraint that cannot be held costs nothing
 */
export function lookingFor(model, { constraint, logprobs }, said) {
  const held = constraint ? constraintOf(model, constraint) : null;
  for (const id of said) held?.take(id);
  return new Looking(model, held, logprobs ?? null);
}
