/** Of how many bytes chunks are, and what their marks say. */

/** The mark of a chunk that is kept whole and was verified; 0 marks one of which nothing is kept. */
export const WHOLE = 1;
/** A mark of 2 and more counts the steps, this many to a chunk, that have come and that nobody has verified yet. */
const STEPS = 254;

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
 * @param {number} index
 * @param {number} mark
 * @returns {number} bytes at the chunk's beginning that are kept and not verified
 */
export function begunBytes(file, index, mark) {
  const bytes = (mark - WHOLE) * stepOf(file);
  return bytes > 0 && bytes < chunkLength(file, index) ? bytes : 0;
}

/**
 * @param {{ bytes: number, chunkBytes: number }} file
 * @param {Uint8Array} have a mark a chunk
 * @returns {number} bytes that are kept
 */
export function keptBytes(file, have) {
  return have.reduce((sum, mark, index) => (
    sum + (mark === WHOLE ? chunkLength(file, index) : begunBytes(file, index, mark))), 0);
}

/** @param {{ chunkBytes: number }} file @returns {number} bytes that a mark counts by */
export function stepOf({ chunkBytes }) {
  return Math.ceil(chunkBytes / STEPS);
}
