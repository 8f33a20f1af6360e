/**
 * Picks a token from logits by the rule of the kernel `sample` (wgsl_kernels), in float64: the same numbers at random from the
 * same seed, ties at a threshold all kept, a draw by inverse CDF in index order.
 */

/** @typedef {Omit<import('../generation/sampling.js').Sampling, 'stopIds'>} Sampling */

/**
 * @param {Float32Array} logits
 * @param {Sampling} sampling
 * @param {number} position of the token in its sequence
 * @returns {number}
 */
export function sample(logits, { temperature, topK, topP, seed }, position) {
  const values = logits.map((value) => (Number.isNaN(value) ? -Infinity : value));
  const best = values.reduce((most, value, i) => (value > values[most] ? i : most), 0);
  if (temperature <= 0) return best;
  const weights = Float64Array.from(values, (value) => weightOf(value, values[best], Math.fround(temperature)));
  logits.forEach((value, i) => { if (Number.isNaN(value)) weights[i] = 0; });
  if (topK > 0 && topK < values.length) keepLargest(weights, values, topK);
  if (topP < 1) keepNucleus(weights, Math.fround(topP));
  return drawn(weights, uniformNumber(seed, position));
}

/** @param {number} value @param {number} best @param {number} temperature @returns {number} 1 for the best */
function weightOf(value, best, temperature) {
  return value === best ? 1 : Math.exp((value - best) / temperature);
}

/** @param {Float64Array} weights @param {Float32Array} values @param {number} count */
function keepLargest(weights, values, count) {
  const threshold = values.toSorted()[values.length - count];
  values.forEach((value, i) => { if (value < threshold) weights[i] = 0; });
}

/** @param {Float64Array} weights of which the smallest set of the largest stays whose sum reaches `share` of all */
function keepNucleus(weights, /** @type {number} */ share) {
  const descending = weights.toSorted().reverse();
  const goal = share * sumOf(descending);
  let sum = 0;
  const threshold = descending.find((weight) => (sum += weight) >= goal) ?? 0;
  weights.forEach((weight, i) => { if (weight < threshold) weights[i] = 0; });
}

/** @param {Float64Array} values @returns {number} */
function sumOf(values) {
  return values.reduce((sum, value) => sum + value, 0);
}

/** @param {Float64Array} weights @param {number} u in [0, 1) @returns {number} where the running sum passes that share of all */
function drawn(weights, u) {
  const goal = u * sumOf(weights);
  let sum = 0;
  return weights.findIndex((weight) => (sum += weight) > goal);
}

/** @param {number} seed @param {number} position @returns {number} of 24 bits in [0, 1), bit for bit the kernel's */
export function uniformNumber(seed, position) {
  return (hash((hash(seed) + position) >>> 0) >>> 8) / 2 ** 24;
}

/** @param {number} value @returns {number} one step of PCG-RXS-M-XS (O'Neill, PCG, 2014) as a hash of 32 bits */
function hash(value) {
  const state = (Math.imul(value, 747796405) + 2891336453) >>> 0;
  const word = Math.imul((state >>> ((state >>> 28) + 4)) ^ state, 277803737) >>> 0;
  return ((word >>> 22) ^ word) >>> 0;
}
