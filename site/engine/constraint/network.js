/**
 * A grammar as a network of states, one piece for each rule, after Thompson; a state may call another rule's piece.
 * States from which no document can be finished are found beforehand, so that nothing ever leads there.
 */

import { SchemaUnsupportedError } from '../errors.js';
import { CHARACTER } from './json_grammar.js';

/** @typedef {import('./expression.js').Expression} Expression */
/** @typedef {import('./expression.js').Rule} Rule */
/** @typedef {{ low: number, high: number, to: number }} Arc */
/** @typedef {{ start: number, back: number }} Call of a rule; where it goes on behind it */
/**
 * @typedef {object} State
 * @property {Arc[]} arcs
 * @property {number[]} jumps taken for nothing
 * @property {Call[]} calls
 * @property {boolean} isEnd of its rule
 * @property {boolean} live a document can be finished from here
 */

const MOST_STATES = 200_000;

export class Network {
  /** @param {Rule} root */
  constructor(root) {
    /** @type {State[]} */
    this.states = [];
    /** @type {Map<Rule, number>} rule -> its first state */
    this.starts = new Map();
    /** @type {Rule[]} */
    this.waiting = [];
    this.start = this.startOf(root);
    for (let rule = this.waiting.pop(); rule; rule = this.waiting.pop()) this.write(rule);
    this.findLive();
    /** First state of a character in a string; -1 where there are no strings. */
    this.character = this.starts.get(CHARACTER) ?? -1;
    /** @type {Map<number, number>} */
    this.behind = new Map();
  }

  /** @returns {boolean} some document meets the grammar */
  get isPossible() {
    return this.states[this.start].live;
  }

  /** @returns {number} */
  add() {
    if (this.states.length === MOST_STATES) throw new SchemaUnsupportedError('The schema is too large');
    return this.states.push({ arcs: [], jumps: [], calls: [], isEnd: false, live: false }) - 1;
  }

  /** @param {Rule} rule @returns {number} */
  startOf(rule) {
    const known = this.starts.get(rule);
    if (known !== undefined) return known;
    const start = this.add();
    this.starts.set(rule, start);
    this.waiting.push(rule);
    return start;
  }

  /** @param {Rule} rule */
  write(rule) {
    const end = this.add();
    this.states[end].isEnd = true;
    this.connect(rule.body, this.startOf(rule), end);
  }

  /** @param {Expression} expression @param {number} from @param {number} to */
  connect(expression, from, to) {
    const { arcs, calls } = this.states[from];
    switch (expression.kind) {
      case 'bytes': return void arcs.push({ low: expression.low, high: expression.high, to });
      case 'rule': return void calls.push({ start: this.startOf(expression), back: to });
      case 'sequence': return this.connectAll(expression.parts, from, to);
      case 'choice': return expression.parts.forEach((part) => this.connect(part, from, to));
      case 'repeat': return this.connectRepeat(expression, from, to);
    }
  }

  /** @param {Expression[]} parts one after the other @param {number} from @param {number} to */
  connectAll(parts, from, to) {
    if (parts.length === 0) this.states[from].jumps.push(to);
    parts.forEach((part, i) => {
      const next = i === parts.length - 1 ? to : this.add();
      this.connect(part, from, next);
      from = next;
    });
  }

  /** @param {Extract<Expression, { kind: 'repeat' }>} repeat @param {number} from @param {number} to */
  connectRepeat({ part, least, most }, from, to) {
    const turns = most === Infinity ? least : most;
    let at = this.add();
    this.states[from].jumps.push(at);
    for (let i = 0; i <= turns; i++) {
      if (i >= least && i <= most) this.states[at].jumps.push(to);
      if (i === turns) break;
      const next = this.add();
      this.connect(part, at, next);
      at = next;
    }
    if (most === Infinity) this.connect(part, at, at);
  }

  /** @param {number} at behind a character of a string @returns {number} how many more the string may get */
  charactersBehind(at) {
    const chain = [];
    let count = 0;
    for (let next = at; ;) {
      const known = this.behind.get(next);
      const call = this.states[next].calls.find(({ start }) => start === this.character);
      if (known !== undefined || !call) {
        count = known ?? 0;
        break;
      }
      if (call.back === next) {
        count = Infinity;
        break;
      }
      chain.push(next);
      next = call.back;
    }
    for (const before of chain.toReversed()) this.behind.set(before, ++count);
    return count;
  }

  /** Backwards from the ends, so that each state is looked at as often as something behind it turns live. */
  findLive() {
    const before = this.dependents();
    const waiting = this.states.flatMap(({ isEnd }, i) => (isEnd ? [i] : []));
    for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
      const state = this.states[at];
      if (state.live || !this.canEnd(state)) continue;
      state.live = true;
      for (const dependent of before[at]) waiting.push(dependent);
    }
  }

  /** @returns {number[][]} for each state those whose being live may follow from its own */
  dependents() {
    /** @type {number[][]} */
    const before = this.states.map(() => []);
    this.states.forEach(({ arcs, jumps, calls }, i) => {
      for (const { to } of arcs) before[to].push(i);
      for (const to of jumps) before[to].push(i);
      for (const { start, back } of calls) {
        before[start].push(i);
        before[back].push(i);
      }
    });
    return before;
  }

  /** @param {State} state @returns {boolean} */
  canEnd({ arcs, jumps, calls, isEnd }) {
    const { states } = this;
    return isEnd || arcs.some(({ to }) => states[to].live) || jumps.some((to) => states[to].live)
      || calls.some(({ start, back }) => states[start].live && states[back].live);
  }
}
