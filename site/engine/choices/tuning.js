/** Which way of each choice a device plays: told by the caller, remembered from an earlier load, or timed now. */

import { BadArgumentError } from '../errors.js';
import { tune } from './tuner.js';

/** @typedef {import('./choices.js').Picks} Picks */
/** @typedef {import('../plan.js').Plan} Plan */
/** @typedef {'auto' | 'off' | 'again' | Picks} Tune */

/** @param {Plan} plan @param {string} family @param {string} name @returns {boolean} */
function offers({ choices }, family, name) {
  return Object.hasOwn(choices, family) && choices[family].includes(name);
}

/** @param {Plan} plan @param {unknown} noted @returns {Picks} those of `noted` that the plan offers */
function offered(plan, noted) {
  return Object.fromEntries(Object.entries(Object(noted)).filter(([family, name]) => offers(plan, family, name)));
}

/**
 * @param {Plan} plan
 * @param {Tune} tune
 * @param {() => Promise<unknown>} readNote
 * @param {Picks} sure what needs no timing: to compile every way takes a software adapter ten seconds and more
 * @returns {Promise<Picks>}
 */
async function knownOf(plan, tune, readNote, sure) {
  if (tune === 'again') return {};
  return tune === 'off' ? defaults(plan) : { ...sure, ...offered(plan, await readNote()) };
}

export class Tuning {
  /**
   * @param {Plan} plan
   * @param {Picks} told
   * @param {Picks} known remembered, or the defaults
   * @param {Picks} usual for what is neither told nor known
   * @param {(picks: Picks) => Promise<void>} remember
   */
  constructor(plan, told, known, usual, remember) {
    this.plan = plan;
    this.usual = usual;
    this.told = told;
    this.known = known;
    this.remember = remember;
    this.ms = 0;
  }

  /**
   * @param {Plan} plan
   * @param {Tune} tune
   * @param {{ read: () => Promise<unknown>, write: (note: unknown) => Promise<void> }} note of this plan on this adapter
   * @param {boolean} software whether the adapter is
   * @returns {Promise<Tuning>}
   * @throws {BadArgumentError} where the plan has no such choice
   */
  static async open(plan, tune, note, software) {
    const told = typeof tune === 'object' ? tune : {};
    const usual = defaults(plan, software ? -1 : 0);
    const strange = Object.keys(told).find((family) => !offers(plan, family, told[family]));
    if (strange !== undefined) {
      const ways = JSON.stringify(plan.choices);
      throw new BadArgumentError(`tune says ${strange}: "${told[strange]}", and the model's choices are ${ways}`);
    }
    const known = await knownOf(plan, tune, note.read, software ? usual : {});
    return new Tuning(plan, told, known, usual, note.write);
  }

  /** @returns {Picks} what is decided by now */
  get picks() {
    return { ...this.known, ...this.told };
  }

  /** @returns {Picks} what is played, the defaults too */
  get played() {
    return { ...this.usual, ...this.picks };
  }

  /** @returns {Tuning} one that has nothing to find out, so that another device plays what this one did */
  decided() {
    const same = new Tuning(this.plan, this.played, {}, {}, this.remember);
    same.ms = this.ms;
    return same;
  }

  /**
   * @param {Parameters<typeof import('./tuner.js').tune>[2]} parts
   * @param {AbortSignal} signal
   */
  async finish(parts, signal) {
    const open = Object.keys(this.plan.choices).filter((family) => !Object.hasOwn(this.picks, family));
    if (open.length === 0) return;
    const began = performance.now();
    Object.assign(this.known, await tune(this.plan, open, parts, signal));
    this.ms = performance.now() - began;
    await this.remember(this.known);
  }
}

/** @param {Plan} plan @param {number} [at] the first name unless said; the last suits software @returns {Picks} */
function defaults({ choices }, at = 0) {
  return Object.fromEntries(Object.entries(choices).map(([family, names]) => [family, /** @type {string} */ (names.at(at))]));
}
