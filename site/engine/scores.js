/** Logits to scores, in float64. */

/** @typedef {'softmax' | 'sigmoid' | 'none'} ScoreFunction */

/** @param {ArrayLike<number>} logits @returns {number[]} of sum 1 */
export function softmax(logits) {
  const values = Array.from(logits);
  const largest = values.reduce((most, value) => Math.max(most, value), -Infinity);
  const powers = values.map((value) => Math.exp(value - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

/** @param {ArrayLike<number>} logits @param {ScoreFunction} how @returns {number[]} */
export function scoresOf(logits, how) {
  if (how === 'softmax') return softmax(logits);
  const values = Array.from(logits);
  return how === 'sigmoid' ? values.map((value) => 1 / (1 + Math.exp(-value))) : values;
}

/** @param {number[]} scores @returns {number[]} where they stand, the largest first */
export function ranked(scores) {
  return scores.map((_, i) => i).sort((a, b) => scores[b] - scores[a] || a - b);
}

/** @param {number[] | Float32Array} scores many @param {number} count few @returns {number[]} where the largest stand, as `ranked` */
export function largest(scores, count) {
  /** @type {number[]} */
  const found = [];
  scores.forEach((score, i) => {
    if (found.length === count && !(score > scores[found[count - 1]])) return;
    const worse = found.findIndex((other) => scores[other] < score);
    found.splice(worse < 0 ? found.length : worse, 0, i);
    found.length = Math.min(found.length, count);
  });
  return found;
}
