/** Of how many bytes a chunk is. */

/**
 * @param {{ bytes: number, chunkBytes: number }} file
 * @param {number} index
 * @returns {number} bytes of that chunk; the last may be short
 */
export function chunkLength({ bytes, chunkBytes }, index) {
  return Math.min(chunkBytes, bytes - index * chunkBytes);
}
