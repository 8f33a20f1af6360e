/**
 * @param {Float32Array} got
 * @param {Float32Array} wanted
 * @param {number} shift that is added to all of `got` before it is compared
 * @returns {number} the largest difference, in parts of the largest wanted value
 */
export function differenceOf(got, wanted, shift = 0) {
  if (got.length !== wanted.length) return Infinity;
  let difference = 0;
  let largest = 0;
  for (let i = 0; i < wanted.length; i++) {
    difference = Math.max(difference, Math.abs(got[i] - wanted[i] + shift));
    largest = Math.max(largest, Math.abs(wanted[i]));
  }
  return difference / largest;
}
