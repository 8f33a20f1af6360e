/** Directions in which a model sees texts; how near two meanings are is the cosine between theirs. */

/**
 * @param {Float32Array} a
 * @param {Float32Array} b
 */
export function dot(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}

/**
 * Not every model gives vectors of length one.
 * @param {Float32Array} vector
 */
export function unit(vector) {
  const length = Math.sqrt(dot(vector, vector)) || 1;
  return vector.map((value) => value / length);
}

/**
 * @param {Float32Array[]} directions of length one, at least one of them
 * @returns {Float32Array} the direction between them
 */
export function middle([first, ...others]) {
  const sum = Float32Array.from(first);
  for (const other of others) other.forEach((value, i) => (sum[i] += value));
  return unit(sum);
}
