/**
 * Turns ids, as they come, into pieces of text that join to the text of all ids. A piece never holds half a character,
 * nor anything that may be the beginning of a stop string; ids whose text is not settled wait.
 */

/** @typedef {{ id: number, text: string, bytes: number[] | null, logprob: number }} Likely a token and its likelihood */
/** @typedef {{ taken: Likely, top: Likely[] }} Likelihoods the token taken, and the likeliest ones */
/** @typedef {{ id: number, text: string, logprobs?: Likelihoods }} Piece */
/** @typedef {(ids: number[]) => string} Decode */

const REPLACEMENT = '\uFFFD';

/** Decodes only the newest ids: the text before them is fixed once it ends with a whole character. */
class Detokenizer {
  /** @param {Decode} decode @param {(id: number) => boolean} isOpen */
  constructor(decode, isOpen) {
    this.decode = decode;
    this.isOpen = isOpen;
    /** @type {number[]} ids whose text is out, kept because a decoder may look at its neighbour */
    this.context = [];
    /** @type {number[]} ids whose text is not settled */
    this.pending = [];
  }

  /** @param {number} id @returns {string} text that is now settled */
  push(id) {
    this.pending.push(id);
    if (this.isOpen(id)) return '';
    const text = this.newText();
    if (text === '' || text.endsWith(REPLACEMENT)) return '';
    return this.settle(text);
  }

  /** @returns {string} what is left, half characters and all */
  flush() {
    return this.settle(this.newText());
  }

  /** @returns {string} */
  newText() {
    const before = this.decode(this.context);
    return this.decode([...this.context, ...this.pending]).slice(before.length);
  }

  /** @param {string} text @returns {string} */
  settle(text) {
    this.context = this.pending;
    this.pending = [];
    return text;
  }
}

export class TextStream {
  /**
   * @param {Decode} decode
   * @param {string[]} stops texts that end the stream and are not shown
   * @param {(id: number) => boolean} [isOpen] the id does not settle the text before it
   */
  constructor(decode, stops, isOpen = () => false) {
    this.detokenizer = new Detokenizer(decode, isOpen);
    this.stops = stops;
    /** @type {Piece[]} */
    this.held = [];
    this.stopped = false;
  }

  /** @param {number} id @param {Likelihoods | null} [logprobs] @returns {Piece[]} pieces that are now settled */
  push(id, logprobs) {
    this.held.push({ id, text: this.detokenizer.push(id), ...(logprobs && { logprobs }) });
    return this.release(this.detokenizer.pending.length);
  }

  /** @returns {Piece[]} the rest, after the last id */
  finish() {
    const last = this.held[this.held.length - 1];
    if (last) last.text += this.detokenizer.flush();
    const pieces = this.release(0);
    return this.stopped ? pieces : [...pieces, ...this.held.splice(0)];
  }

  /** @param {number} unsettled how many of the newest pieces must wait @returns {Piece[]} */
  release(unsettled) {
    if (this.stopped) return [];
    const text = this.held.map((piece) => piece.text).join('');
    const stop = this.firstStop(text);
    if (stop >= 0) return this.cut(stop);
    let safe = text.length - this.stopPrefixLength(text);
    let count = 0;
    while (count < this.held.length - unsettled && this.held[count].text.length <= safe) {
      safe -= this.held[count].text.length;
      count += 1;
    }
    return this.held.splice(0, count);
  }

  /** @param {string} text @returns {number} where the first stop string begins, or -1 */
  firstStop(text) {
    const found = this.stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
    return found.length > 0 ? Math.min(...found) : -1;
  }

  /** @param {string} text @returns {number} length of the longest end of `text` that begins a stop string */
  stopPrefixLength(text) {
    const lengths = this.stops.map((stop) => {
      let length = Math.min(stop.length - 1, text.length);
      while (length > 0 && !stop.startsWith(text.slice(-length))) length -= 1;
      return Math.max(0, length);
    });
    return Math.max(0, ...lengths);
  }

  /** @param {number} end of the shown text @returns {Piece[]} the pieces that begin before it, the last one cut */
  cut(end) {
    this.stopped = true;
    const pieces = [];
    let start = 0;
    for (const piece of this.held.splice(0)) {
      if (start < end) pieces.push({ ...piece, text: piece.text.slice(0, end - start) });
      start += piece.text.length;
    }
    return pieces;
  }
}
