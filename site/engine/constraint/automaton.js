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

/** Bytes that begin a character which a string of JSON holds as it is: all from the space on but two, and no others. */
const [QUOTE, BACKSLASH] = [0x22, 0x5C];

/** @param {import('./network.js').Arc} arc @returns {boolean} */
function readsPlain({ low, high }) {
  return high >= 0x20 && !(low === high && (low === QUOTE || low === BACKSLASH));
}

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
    this.fillRow(state);
    return this.table[state * 256 + byte];
  }

  /** @param {number} state @returns {boolean} */
  accepts(state) {
    return this.states[state].accepts;
  }

  /** @param {number} state @returns {boolean} the text is whole, and nothing may follow */
  isLast(state) {
    return this.states[state].accepts && this.states[state].places.length === 0;
  }

  /**
   * Inside a string of JSON, how many characters it may still get, where nothing else may come but what ends it.
   *
   * @param {number} state
   * @returns {number | null} null elsewhere
   */
  plainCharacters(state) {
    const { places } = this.states[state];
    const { character, states } = this.network;
    let found = null;
    for (let i = 0; i < places.length; i += 2) {
      const isCharacter = places[i] === character;
      if (isCharacter && found === null) found = 1 + this.network.charactersBehind(this.stacks[places[i + 1]].back);
      else if (isCharacter || states[places[i]].arcs.some(readsPlain)) return null;
    }
    return found;
  }

  /** Where every byte leads; bytes that no arc tells apart are looked at once. @param {number} state */
  fillRow(state) {
    const { places } = this.states[state];
    const arcs = places.flatMap((at, i) =>
      (i % 2 === 0 ? this.network.states[at].arcs.map((arc) => ({ ...arc, stack: places[i + 1] })) : []));
    const cuts = new Set([0, 256, ...arcs.flatMap(({ low, high }) => [low, high + 1])]);
    const ends = [...cuts].sort((a, b) => a - b);
    /** @type {Map<string, number>} */
    const known = new Map();
    for (let i = 0; i + 1 < ends.length; i++) {
      const behind = arcs.flatMap(({ low, high, to, stack }) => (low <= ends[i] && ends[i] <= high ? [to, stack] : []));
      const key = behind.join(' ');
      const next = known.get(key) ?? this.intern(this.reached(behind));
      known.set(key, next);
      this.table.fill(next, state * 256 + ends[i], state * 256 + ends[i + 1]);
    }
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
