/**
 * What the states of a model hold, as ids, so that a prompt that begins alike goes on from there. Keys and values are
 * cut back by their length alone. The states of convolutions and scans cannot be: of those a snapshot is kept.
 */

/** @typedef {import('../session.js').Session} Session */
/** @typedef {{ state: GPUBuffer, copy: GPUBuffer, bytes: number }} Kept */
/** @typedef {{ from: number, restore: boolean }} Beginning how many ids need not be played, and who holds them */

/** @param {number[]} one @param {number[]} other @returns {number} ids at the start that are the same */
function commonLength(one, other) {
  const at = one.findIndex((id, i) => id !== other[i]);
  return at < 0 ? one.length : at;
}

export class History {
  /** @param {import('../buffers.js').Buffers} buffers */
  constructor({ plan, made }) {
    /** @type {Kept[]} */
    this.kept = plan.flatMap(({ of, bytes }, i) => (of === null ? [] : [{ state: made[of], copy: made[i], bytes }]));
    const fixed = plan.filter(({ role }) => role === 'conv' || role === 'ssm').length;
    this.canCut = fixed === 0;
    this.canKeep = fixed > 0 && this.kept.length === fixed;
    /** @type {number[]} what the states have seen; nothing where that is not known */
    this.held = [];
    /** How many of the first of them the snapshot has seen. */
    this.saved = 0;
  }

  /**
   * From here until `hold` it counts as unknown what the states have seen.
   *
   * @param {number[]} ids of a prompt, of which at least the last must be played
   * @returns {Beginning}
   */
  begin(ids) {
    const common = Math.min(commonLength(this.held, ids), ids.length - 1);
    const restore = !this.canCut && common < this.held.length && this.saved <= common && this.saved > 0;
    const from = this.canCut || common === this.held.length ? common : Number(restore) * this.saved;
    this.held = [];
    if (this.saved > from) this.saved = 0;
    return { from, restore };
  }

  /** @param {number[]} ids that the states have seen @param {number} [saved] how many the snapshot; as many as before unless said */
  hold(ids, saved = this.saved) {
    this.held = ids;
    this.saved = saved;
  }

  /** The next prompt is played from its start. */
  forget() {
    this.held = [];
    this.saved = 0;
  }

  /** @param {GPUCommandEncoder} encoder */
  restore(encoder) {
    for (const { state, copy, bytes } of this.kept) encoder.copyBufferToBuffer(copy, 0, state, 0, bytes);
  }

  /** @param {GPUCommandEncoder} encoder @param {number} seen ids of the prompt, by then */
  save(encoder, seen) {
    if (!this.canKeep || seen === this.saved) return;
    for (const { state, copy, bytes } of this.kept) encoder.copyBufferToBuffer(state, 0, copy, 0, bytes);
    this.saved = seen;
  }
}

/** @type {WeakMap<Session, History>} */
const histories = new WeakMap();

/** @param {Session} session @returns {History} the one of its states */
export function historyOf(session) {
  const history = histories.get(session) ?? new History(session.buffers);
  histories.set(session, history);
  return history;
}
