/**
 * Cuts a prompt into submits that hold the GPU for well under 100 ms each. A submit plays a block of tokens, or some of
 * the dispatches of one where a whole block takes too long. How much fits is learned: the first submit is one dispatch,
 * and each may be several times as large as the one before, until its time is near what is wanted.
 */

/** @typedef {import('../plan.js').Plan} Plan */

/** What a submit should take: a third is left for what cannot be foreseen, such as attention over a longer past. */
const SUBMIT_MS = 60;
const GROWTH = 4;
/** The kernels of prefill work on as many tokens at a time, so fewer take as long and a multiple wastes nothing. */
const TILE = 64;

/** @param {Plan} plan @returns {number[]} what each dispatch of prefill costs a token, in no unit: weights are most of it */
export function costsOf({ phases, buffers }) {
  const bytes = phases.prefill.map(({ bind }) => {
    const bound = (/** @type {string} */ kind) => bind.filter(({ buffer }) => buffers[buffer].kind === kind);
    // Of a table few rows are read: those of the ids.
    return bound('input').length > 0 ? 0 : bound('weight').reduce((sum, each) => sum + each.bytes, 0);
  });
  const mean = bytes.reduce((sum, each) => sum + each, 1) / bytes.length;
  return bytes.map((each) => each + mean / 8);
}

export class PrefillPace {
  /** @param {number[]} costs of the dispatches */
  constructor(costs) {
    this.costs = costs;
    this.block = costs.reduce((sum, cost) => sum + cost, 0);
    this.allowed = 0;
    this.measured = false;
  }

  /** @param {number} left tokens @param {number} largest block @returns {number} tokens of the next block */
  tokens(left, largest) {
    const most = Math.min(left, largest);
    const fit = Math.max(TILE, this.allowed / this.block);
    return most <= fit ? most : Math.floor(fit / TILE) * TILE;
  }

  /** @param {number} first dispatch @param {number} tokens of the block @returns {number} end of what one submit plays */
  end(first, tokens) {
    let end = first + 1;
    while (end < this.costs.length && this.work(first, end + 1, tokens) <= this.allowed) end += 1;
    return end;
  }

  /** @param {number} first @param {number} end @param {number} tokens @returns {number} what dispatches cost */
  work(first, end, tokens) {
    const cost = this.costs.slice(first, end).reduce((sum, each) => sum + each, 0);
    return cost * Math.max(tokens, TILE);
  }

  /** @param {number} work that a submit did @param {number} ms that it took */
  took(work, ms) {
    const fits = (work * SUBMIT_MS) / ms;
    // A short submit says little of a long one: mostly how long the way to the GPU is.
    if (fits < this.allowed && work < this.allowed / 4 && ms < SUBMIT_MS) return;
    this.allowed = Math.min(fits, Math.max(work, this.allowed) * GROWTH);
    this.measured = true;
  }
}
