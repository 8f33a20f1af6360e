/**
 * Cuts a prompt into submits that hold the GPU for well under 100 ms each. A submit plays a block of tokens, or some of
 * the dispatches of one where a whole block takes too long; never less than a dispatch. What each kernel takes is
 * learned on the way: one that was never timed is played alone.
 */

/** @typedef {import('../plan.js').Plan} Plan */

/** What a submit should take: a third is left for what cannot be foreseen, such as attention over a longer past. */
const SUBMIT_MS = 60;
/** The kernels of prefill work on as many tokens at a time, so fewer take as long and a multiple wastes nothing. */
const TILE = 64;
/** How much less one time may make of what is known: the news of several submits may come together. */
const LEAST_CHANGE = 1 / 4;
/** The clock of a page may be coarse, and nothing takes no time. */
const LEAST_MS = 1e-3;

/** @param {number} tokens @returns {number} tiles, or parts of one past the first */
function tilesOf(tokens) {
  return Math.max(1, tokens / TILE);
}

export class PrefillPace {
  /** @param {number[]} kernels of the dispatches */
  constructor(kernels) {
    this.kernels = kernels;
    /** @type {Map<number, number>} kernel -> ms a tile */
    this.known = new Map();
  }

  /** @param {Plan} plan @param {boolean} few of blocks of FEW_TOKENS or less @returns {PrefillPace} */
  static of({ phases }, few) {
    return new PrefillPace(phases.prefill.map((dispatch) => ((few && dispatch.few) || dispatch).ways[0].kernel));
  }

  /** @param {number} first dispatch @param {number} end @returns {number} ms a tile; Infinity where a kernel is unknown */
  expected(first, end) {
    let ms = 0;
    for (let i = first; i < end; i++) ms += this.known.get(this.kernels[i]) ?? Infinity;
    return ms;
  }

  /** @param {number} left tokens @param {number} largest block @returns {number} tokens of the next block */
  tokens(left, largest) {
    const most = Math.min(left, largest);
    const fit = Math.max(1, SUBMIT_MS / this.expected(0, this.kernels.length));
    return most <= fit * TILE ? most : Math.floor(fit) * TILE;
  }

  /** @param {number} first dispatch @param {number} tokens of the block @returns {number} end of what one submit plays */
  end(first, tokens) {
    const most = SUBMIT_MS / tilesOf(tokens);
    let ms = this.expected(first, first + 1);
    let end = first + 1;
    for (; end < this.kernels.length; end++) {
      ms += this.expected(end, end + 1);
      if (ms > most) break;
    }
    return end;
  }

  /** @param {number} first @param {number} end @param {number} tokens @param {number} ms that the submit took */
  took(first, end, tokens, ms) {
    const each = Math.max(LEAST_MS, ms / tilesOf(tokens));
    const expected = this.expected(first, end);
    if (expected === Infinity) return void this.known.set(this.kernels[first], each);
    const change = Math.max(LEAST_CHANGE, each / expected);
    for (const kernel of new Set(this.kernels.slice(first, end))) {
      this.known.set(kernel, change * /** @type {number} */ (this.known.get(kernel)));
    }
  }
}
