/** The alphabet of byte-level vocabularies: a printable character for each byte, as GPT-2 introduced it. */

/** @param {number} byte @returns {boolean} it is printed as itself */
function isPrintable(byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

/** @returns {string[]} [256] */
function alphabet() {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isPrintable(byte) ? byte : next++));
}

const BYTE_CHARACTERS = alphabet();
/** @type {ReadonlyMap<string, number>} */
export const CHARACTER_BYTES = new Map(BYTE_CHARACTERS.map((character, byte) => [character, byte]));

/** @param {string} text @returns {string} a character a byte, as byte-level vocabularies write it */
export function asBytes(text) {
  return Array.from(new TextEncoder().encode(text), (byte) => BYTE_CHARACTERS[byte]).join('');
}
