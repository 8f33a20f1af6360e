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
 * @property {Int32Array} states
 * @property {Int32Array} at index of each lane's next word
 */

/**
 * Whether a state takes in a word is as good as chance, and a processor that guessed wrong begins again; so it is computed: `m` is
 * -1 where it does, else 0. `| 0` keeps sums whole numbers of 32 bits.
 *
 * @param {Uint32Array} slots
 * @param {Uint16Array} words
 * @param {Lanes} lanes as reading leaves them, when it returns; a word outside `words` reads as 0
 * @param {Int32Array} out is filled: byte k of a word comes from lane k
 */
export function decode(slots, words, lanes, out) {
  let [a, b, c, d] = lanes.states;
  let [atA, atB, atC, atD] = lanes.at;
  for (let i = 0, m = 0; i < out.length; i++) {
    const e = slots[a & 4095];
    const f = slots[b & 4095];
    const g = slots[c & 4095];
    const h = slots[d & 4095];
    out[i] = (e & 255) | (f & 255) << 8 | (g & 255) << 16 | h << 24;
    a = Math.imul(e >>> 8 & 4095, a >>> 12) + (e >>> 20) | 0;
    m = a - 32768 >> 31;
    a = a << (m & 16) | words[atA] & m;
    atA = atA - m | 0;
    b = Math.imul(f >>> 8 & 4095, b >>> 12) + (f >>> 20) | 0;
    m = b - 32768 >> 31;
    b = b << (m & 16) | words[atB] & m;
    atB = atB - m | 0;
    c = Math.imul(g >>> 8 & 4095, c >>> 12) + (g >>> 20) | 0;
    m = c - 32768 >> 31;
    c = c << (m & 16) | words[atC] & m;
    atC = atC - m | 0;
    d = Math.imul(h >>> 8 & 4095, d >>> 12) + (h >>> 20) | 0;
    m = d - 32768 >> 31;
    d = d << (m & 16) | words[atD] & m;
    atD = atD - m | 0;
  }
  lanes.states.set([a, b, c, d]);
  lanes.at.set([atA, atB, atC, atD]);
}
