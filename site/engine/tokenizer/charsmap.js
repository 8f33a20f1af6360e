/**
 * SentencePiece's compiled normalization: a double array over UTF-8 bytes, whose leaves point into a text of
 * replacements. https://github.com/google/sentencepiece/blob/master/src/normalizer.cc
 */

const LONGEST_GRAPHEME_BYTES = 5;

export class Charsmap {
  /** @param {string} base64 length of the array in bytes, the array, the replacements, each closed by a zero */
  constructor(base64) {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const view = new DataView(bytes.buffer);
    const length = view.getUint32(0, true);
    if (length % 4 !== 0 || length + 4 > bytes.length) throw new Error('precompiled_charsmap is damaged');
    this.units = Uint32Array.from({ length: length / 4 }, (_, i) => view.getUint32(4 + 4 * i, true));
    this.texts = bytes.subarray(4 + length);
    this.encoder = new TextEncoder();
    this.decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    this.segmenter = new Intl.Segmenter('und', { granularity: 'grapheme' });
  }

  /** @param {string} text @returns {string} */
  normalize(text) {
    return Array.from(this.segmenter.segment(text), ({ segment }) => this.grapheme(segment)).join('');
  }

  /** @param {string} grapheme @returns {string} by the first of its beginnings that is in the array */
  grapheme(grapheme) {
    const bytes = this.encoder.encode(grapheme);
    const whole = bytes.length <= LONGEST_GRAPHEME_BYTES ? this.replacement(bytes) : null;
    if (whole !== null) return whole;
    return Array.from(grapheme, (each) => this.replacement(this.encoder.encode(each)) ?? each).join('');
  }

  /** @param {Uint8Array} bytes @returns {string | null} what the shortest beginning of `bytes` becomes */
  replacement(bytes) {
    const { units } = this;
    let at = offsetOf(units[0]);
    for (const byte of bytes) {
      if (byte === 0) return null;
      at ^= byte;
      if (((units[at] & 0x800000FF) >>> 0) !== byte) return null;
      const hasLeaf = (units[at] >>> 8) & 1;
      at ^= offsetOf(units[at]);
      if (hasLeaf) return this.textAt(units[at] & 0x7FFFFFFF);
    }
    return null;
  }

  /** @param {number} start @returns {string} */
  textAt(start) {
    const end = this.texts.indexOf(0, start);
    return this.decoder.decode(this.texts.subarray(start, end < 0 ? undefined : end));
  }
}

/** @param {number} unit of the double array @returns {number} */
function offsetOf(unit) {
  return (unit >>> 10) << ((unit & 0x200) >>> 6);
}
