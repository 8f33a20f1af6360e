/** How likely a model held the token that was taken, and which others it held likely. */

import { largest } from '../scores.js';
import { tokenBytes } from '../tokenizer/token_bytes.js';

/** @typedef {import('./text_stream.js').Likely} Likely */
/** @typedef {(id: number) => { text: string, bytes: number[] | null }} Spell */

/** @param {Float32Array} logits @returns {number} logarithm of the sum of their exponentials */
function logSum(logits) {
  const [best] = largest(logits, 1);
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - logits[best]);
  return logits[best] + Math.log(sum);
}

/** @param {import('../tokenizer.js').TextTokenizer} tokenizer @returns {Spell} bytes where they can be told of a token alone */
export function spellerOf(tokenizer) {
  /** @type {(id: number) => number[] | null} */
  let bytesOf = () => null;
  try {
    bytesOf = tokenBytes(tokenizer.tokenizer);
  } catch {
    // Of such a tokenizer the texts are all there is.
  }
  return (id) => ({ text: tokenizer.tokenOf(id), bytes: bytesOf(id) });
}

/**
 * Of the model's own distribution: before temperature, top-k, top-p and any constraint.
 *
 * @param {Float32Array} logits
 * @param {number} id that was taken
 * @param {number} count of the likeliest to be told
 * @param {Spell} spell
 * @returns {{ taken: Likely, top: Likely[] }}
 */
export function likelihoods(logits, id, count, spell) {
  const all = logSum(logits);
  const told = (/** @type {number} */ each) => ({ id: each, logprob: logits[each] - all, ...spell(each) });
  return { taken: told(id), top: count > 0 ? largest(logits, count).map(told) : [] };
}
