/**
 * A network read byte by byte: a pushdown automaton made deterministic as far as it is used. A state stands for the set
 * of all places in the network, each with its stack of callers, where the text so far may have led.
 */

/** @typedef {import('./network.js').Network} Network */
/** @typedef {{ back: number, below: number }} Frame where a caller goes on, and the stack under it */
/**
 * @typedef {object} Known
 * @property {number[]} places state of the network and stack, in turns; only those that read a byte
 * @property {boolean} accepts the text may end here
 */

export const DEAD = 0;
const UNKNOWN = -1;
const EMPTY_STACK = 0;
const FIRST_ROWS = 64;
/** More states of a network, or more stacks, do not share a number exactly; `Network` has fewer. */
const SHIFT = 2 ** 21;

export class Automaton {
  /** @param {Network} network */
  constructor(network) {
    this.network = network;
    /** @type {Frame[]} */
    this.stacks = [{ back: -1, below: -1 }];
    /** @type {Map<number, number>} */
    this.stackIds = new Map();
    /** @type {Known[]} */
    this.states = [];
    /** @type {Map<string, number>} */
    this.stateIds = new Map();
    /** Row of a state: where each byte leads. */
    this.table = new Int32Array(FIRST_ROWS * 256).fill(UNKNOWN);
    this.intern({ places: [], accepts: false });
    this.start = this.intern(this.reached([network.start, EMPTY_STACK]));
  }

  get size() {
    return this.states.length;
  }

  /** @param {number} state @param {number} byte @returns {number} */
  step(state, byte) {
    const known = this.table[state * 256 + byte];
    if (known !== UNKNOWN) return known;
    const next = this.intern(this.reached(this.behind(state, byte)));
    this.table[state * 256 + byte] = next;
    return next;
  }

  /** @param {number} state @returns {boolean} */
  accepts(state) {
    return this.states[state].accepts;
  }

  /** @param {number} state @returns {boolean} the text is whole, and nothing may follow */
  isLast(state) {
    return this.states[state].accepts && this.states[state].places.length === 0;
  }

  /** @param {number} state @param {number} byte @returns {number[]} places behind that byte */
  behind(state, byte) {
    const { places } = this.states[state];
    const found = [];
    for (let i = 0; i < places.length; i += 2) {
      for (const { low, high, to } of this.network.states[places[i]].arcs) {
        if (byte >= low && byte <= high) found.push(to, places[i + 1]);
      }
    }
    return found;
  }

  /** @param {number[]} waiting places @returns {Known} all that they lead to without a byte */
  reached(waiting) {
    const places = [];
    let accepts = false;
    const seen = new Set();
    while (waiting.length > 0) {
      const stack = /** @type {number} */ (waiting.pop());
      const at = /** @type {number} */ (waiting.pop());
      const state = this.network.states[at];
      if (!state.live || seen.has(stack * SHIFT + at)) continue;
      seen.add(stack * SHIFT + at);
      if (state.arcs.length > 0) places.push(at, stack);
      for (const to of state.jumps) waiting.push(to, stack);
      for (const { start, back } of state.calls) if (this.isLive(back)) waiting.push(start, this.called(back, stack));
      if (state.isEnd && stack === EMPTY_STACK) accepts = true;
      else if (state.isEnd) waiting.push(this.stacks[stack].back, this.stacks[stack].below);
    }
    return { places, accepts };
  }

  /** @param {number} at @returns {boolean} */
  isLive(at) {
    return this.network.states[at].live;
  }

  /**
   * A call with nothing behind it leaves nothing on the stack, so that lists do not pile up there.
   *
   * @param {number} back
   * @param {number} below
   * @returns {number} the stack inside the call
   */
  called(back, below) {
    const { isEnd, arcs, jumps, calls } = this.network.states[back];
    if (isEnd && arcs.length + jumps.length + calls.length === 0) return below;
    const key = below * SHIFT + back;
    const stack = this.stackIds.get(key) ?? this.stacks.push({ back, below }) - 1;
    this.stackIds.set(key, stack);
    return stack;
  }

  /** @param {Known} known @returns {number} the state that stands for it */
  intern(known) {
    const { places, accepts } = known;
    const keys = [];
    for (let i = 0; i < places.length; i += 2) keys.push(places[i + 1] * SHIFT + places[i]);
    const key = `${accepts} ${keys.sort((a, b) => a - b).join(' ')}`;
    const found = this.stateIds.get(key);
    if (found !== undefined) return found;
    this.stateIds.set(key, this.states.length);
    this.grow();
    return this.states.push(known) - 1;
  }

  /** Room for one row more. */
  grow() {
    const { length } = this.table;
    if ((this.states.length + 1) * 256 <= length) return;
    const larger = new Int32Array(length * 2).fill(UNKNOWN, length);
    larger.set(this.table);
    this.table = larger;
  }
}
