/** Of how many bytes chunks are. */

/**
 * @param {{ bytes: number, chunkBytes: number }} file
 * @param {number} index
 * @returns {number} bytes of that chunk; the last may be short
 */
export function chunkLength({ bytes, chunkBytes }, index) {
  return Math.min(chunkBytes, bytes - index * chunkBytes);
}

/**
 * @param {{ bytes: number, chunkBytes: number }} file
 * @param {Uint8Array} have a byte a chunk: 1 where it is kept
 * @returns {number} bytes of those
 */
export function keptBytes(file, have) {
  return have.reduce((sum, mark, index) => sum + (mark ? chunkLength(file, index) : 0), 0);
}
