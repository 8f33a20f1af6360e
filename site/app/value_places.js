/** Where values stand in the message that they were copied from. */

/**
 * @typedef {object} Place
 * @property {string} name of the field
 * @property {number} start
 * @property {number} end
 *
 * @typedef {object} Piece
 * @property {string} text
 * @property {string[]} names of the fields whose values it is a part of
 */

const IN_A_WORD = /^[\p{L}\p{N}]$/u;

/**
 * A place for each value that the message has: whole words and places that are still free come first.
 * @param {string} message
 * @param {Iterable<[name: string, value: string]>} values
 * @returns {Place[]}
 */
export function placesOf(message, values) {
  /** @type {Place[]} */
  const places = [];
  for (const [name, value] of values) {
    const found = occurrences(message, value).map((start) => ({ name, start, end: start + value.length }));
    const free = found.filter((place) => places.every(({ start, end }) => place.end <= start || end <= place.start));
    const best = [free.filter(wholeIn(message)), free, found.filter(wholeIn(message)), found].flat()[0];
    if (best) places.push(best);
  }
  return places;
}

/**
 * The message cut where a value begins or ends; the texts of all pieces together are the message.
 * @param {string} message
 * @param {Place[]} places
 * @returns {Piece[]}
 */
export function cutAt(message, places) {
  const cuts = [...new Set([0, message.length, ...places.flatMap(({ start, end }) => [start, end])])];
  cuts.sort((a, b) => a - b);
  return cuts.slice(1).map((end, i) => {
    const start = cuts[i];
    const around = places.filter((place) => place.start <= start && end <= place.end);
    return { text: message.slice(start, end), names: around.map(({ name }) => name) };
  });
}

/**
 * @param {string} message
 * @param {string} value
 */
function occurrences(message, value) {
  /** @type {number[]} */
  const starts = [];
  if (value === '') return starts;
  for (let at = message.indexOf(value); at >= 0; at = message.indexOf(value, at + 1)) starts.push(at);
  return starts;
}

/**
 * Whether a place begins and ends where words do.
 * @param {string} message
 * @returns {(place: Place) => boolean}
 */
function wholeIn(message) {
  /** @param {number} at */
  const inWord = (at) => IN_A_WORD.test(message.charAt(at - 1)) && IN_A_WORD.test(message.charAt(at));
  return ({ start, end }) => !inWord(start) && !inWord(end);
}
