/** Reads `generation.chat` of a manifest: a chat template as data, or the file that carries it (FORMAT.md, `chat`). */

const ORDERS = /** @type {const} */ (['any', 'system-first', 'alternate']);

/** @typedef {import('./json_reader.js').JsonReader} JsonReader */
/**
 * @typedef {object} Segments
 * @property {string} start
 * @property {Record<string, string[]>} roles the texts between which a message's content stands: before, after
 * @property {string} answer
 * @property {string | null} system the system message where the caller gives none
 * @property {string[]} trim roles whose content loses the white space around it
 * @property {string[]} omitEmpty roles whose message is left out where it has no content
 * @property {{ before: string, after: string, trim: boolean } | null} fold makes the system message a part of the first
 * @property {typeof ORDERS[number]} order
 */
/** @typedef {Segments | { template: string }} Chat */

/** @param {JsonReader} reader @returns {string[]} */
function readAround(reader) {
  const parts = reader.items().map((item) => item.string());
  if (parts.length < 2 || parts.length > 4) reader.refuse('is not two to four texts');
  return parts;
}

/** @param {JsonReader} reader @returns {string[]} */
function readRoles(reader) {
  return (reader.optional((field) => field.items()) ?? []).map((item) => item.string());
}

/** @param {JsonReader} reader @returns {NonNullable<Segments['fold']>} */
function readFold(reader) {
  const trim = reader.field('trim').value;
  if (typeof trim !== 'boolean') reader.field('trim').refuse('is neither true nor false');
  return { before: reader.field('before').string(), after: reader.field('after').string(), trim: trim === true };
}

/** @param {JsonReader} reader @returns {Chat} */
export function readChat(reader) {
  const template = reader.field('template').optional((field) => field.string());
  if (template !== null) return { template };
  return {
    start: reader.field('start').string(),
    roles: Object.fromEntries(reader.field('roles').entries().map(([role, around]) => [role, readAround(around)])),
    answer: reader.field('answer').string(),
    system: reader.field('system').optional((field) => field.string()),
    trim: readRoles(reader.field('trim')),
    omitEmpty: readRoles(reader.field('omit_empty')),
    fold: reader.field('fold').optional(readFold),
    order: reader.field('order').optional((field) => field.oneOf(ORDERS)) ?? 'any',
  };
}
