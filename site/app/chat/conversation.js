/** A conversation as data: who said what, under which instructions. Whatever is changed in its middle, what follows goes. */

/** @typedef {'user' | 'assistant'} Speaker */
/** @typedef {{ role: Speaker, content: string, stopped?: boolean }} Said `stopped`: an answer that did not come to its end */
/** @typedef {{ role: string, content: string }} Message as the engine takes it */
/**
 * @typedef {object} Stored
 * @property {string} id
 * @property {string} model address of its folder
 * @property {string} system instructions, empty where there are none
 * @property {Said[]} said
 * @property {number} changedAt milliseconds since 1970
 */

const TITLE_CHARACTERS = 60;

export class Conversation {
  /** @param {Stored} stored */
  constructor(stored) {
    this.id = stored.id;
    this.model = stored.model;
    this.system = stored.system;
    this.said = stored.said;
    this.changedAt = stored.changedAt;
  }

  /** @param {string} model @returns {Conversation} */
  static begin(model) {
    return new Conversation({ id: `${Date.now()} ${Math.random()}`, model, system: '', said: [], changedAt: Date.now() });
  }

  /** What it is called in a list: its first words. */
  get title() {
    const [first = ''] = (this.said[0]?.content ?? '').trim().split('\n');
    return first.length > TITLE_CHARACTERS ? `${first.slice(0, TITLE_CHARACTERS - 1)}…` : first;
  }

  get isEmpty() {
    return this.said.length === 0;
  }

  /** @returns {Message[]} what the model reads: the instructions and all that was said */
  get messages() {
    const said = this.said.map(({ role, content }) => ({ role, content }));
    return this.system.trim() === '' ? said : [{ role: 'system', content: this.system }, ...said];
  }

  /** @param {string} content */
  ask(content) {
    this.#push({ role: 'user', content });
  }

  /** @param {string} content @param {boolean} stopped */
  answer(content, stopped) {
    this.#push({ role: 'assistant', content, ...(stopped ? { stopped } : {}) });
  }

  /** Takes back what was said from there on. @param {number} index @returns {string} what was said there */
  rewind(index) {
    const [from] = this.said.splice(index);
    this.changedAt = Date.now();
    return from?.content ?? '';
  }

  /** @returns {Stored} */
  toStore() {
    const { id, model, system, said, changedAt } = this;
    return { id, model, system, said, changedAt };
  }

  /** @param {Said} said */
  #push(said) {
    this.said.push(said);
    this.changedAt = Date.now();
  }
}

/** @param {unknown} value from a store @returns {Conversation | null} null where it is none of ours */
export function revived(value) {
  const { id, model, system, said, changedAt } = /** @type {Partial<Stored>} */ (Object(value));
  const isText = [id, model, system].every((part) => typeof part === 'string');
  const isSaid = Array.isArray(said) && said.every(
    (each) => (each?.role === 'user' || each?.role === 'assistant') && typeof each.content === 'string',
  );
  return isText && isSaid && Number.isFinite(changedAt) ? new Conversation(/** @type {Stored} */ (value)) : null;
}
