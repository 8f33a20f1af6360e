/**
 * Reads bytes that were coded by range asymmetric numeral systems (exporter/coding/rans.py tells how). Four lanes take turns, so
 * that the processor works at four states at once, and their four bytes are stored as one word.
 */

export const TOTAL = 4096;
export const LOWEST = 2 ** 15;

/**
 * @param {ArrayLike<number>} frequencies of the bytes 0 to 255, none above 4095; their sum is TOTAL
 * @returns {Uint32Array} of each slot: its byte, the byte's frequency << 8, and how far the slot is from the byte's first << 20
 */
export function slotsOf(frequencies) {
  const slots = new Uint32Array(TOTAL);
  let slot = 0;
  for (let byte = 0; byte < 256; byte++) {
    for (let nth = 0; nth < frequencies[byte]; nth++) slots[slot++] = byte | frequencies[byte] << 8 | nth << 20;
  }
  return slots;
}

/**
 * @typedef {object} Lanes four of each
 * @property {number[]} states below 2^31
 * @property {number[]} at index of each lane's next word
 */

/**
 * @param {Uint32Array} slots
 * @param {Uint16Array} words
 * @param {Lanes} lanes as reading leaves them, when it returns; a word outside `words` reads as 0
 * @param {Int32Array} out is filled: byte k of a word comes from lane k
 */
export function decode(slots, words, lanes, out) {
  let [a, b, c, d] = lanes.states;
  let [atA, atB, atC, atD] = lanes.at;
  for (let i = 0; i < out.length; i++) {
    const e = slots[a & 4095];
    const f = slots[b & 4095];
    const g = slots[c & 4095];
    const h = slots[d & 4095];
    out[i] = (e & 255) | (f & 255) << 8 | (g & 255) << 16 | h << 24;
    a = Math.imul(e >>> 8 & 4095, a >>> 12) + (e >>> 20);
    if (a < 32768) a = a << 16 | words[atA++];
    b = Math.imul(f >>> 8 & 4095, b >>> 12) + (f >>> 20);
    if (b < 32768) b = b << 16 | words[atB++];
    c = Math.imul(g >>> 8 & 4095, c >>> 12) + (g >>> 20);
    if (c < 32768) c = c << 16 | words[atC++];
    d = Math.imul(h >>> 8 & 4095, d >>> 12) + (h >>> 20);
    if (d < 32768) d = d << 16 | words[atD++];
  }
  lanes.states = [a, b, c, d];
  lanes.at = [atA, atB, atC, atD];
}
