/** The words of a text that a model has labelled: marked in the text, and listed under their labels. */

import { announce } from '../announcer.js';
import { byId, element } from '../dom.js';
import { colorOf, connectMarks, inWords, showMarked } from '../marked_message.js';
import { text as say } from '../texts.js';

/**
 * @typedef {{ label: string, start: number, end: number }} WordClass the word's place in the text, and what it is
 * @typedef {import('../value_places.js').Place} Place
 */

/** The label of words that are nothing in particular. */
const OUTSIDE = 'O';
/** A label may say that its word begins, continues or ends a name, or is a whole one. */
const LABEL = /^(?:([BIESLU])-)?(.*)$/s;

const box = byId('marked', HTMLElement);
const list = byId('found', HTMLElement);
connectMarks(box);

/**
 * @param {string} text
 * @param {WordClass[]} words
 */
export function showWords(text, words) {
  const places = placesOf(words);
  const labels = [...new Set(places.map(({ name }) => name))];
  showMarked(box, text, places, labels);
  list.replaceChildren(...labels.map((label, i) => labelRow(label, i, text, places)));
  box.hidden = text === '';
  list.hidden = labels.length === 0;
  announce(say('words.found', { n: places.length }));
}

export function clearWords() {
  box.hidden = list.hidden = true;
}

/**
 * Words in a row that make one name are one place.
 * @param {WordClass[]} words
 * @returns {Place[]}
 */
function placesOf(words) {
  /** @type {Place[]} */
  const places = [];
  let open = '';
  for (const { label, start, end } of words) {
    const [, position = 'I', name = ''] = LABEL.exec(label) ?? [];
    const last = places.at(-1);
    if (last && open === name && 'IEL'.includes(position)) last.end = end;
    else if (label !== OUTSIDE) places.push({ name, start, end });
    open = label === OUTSIDE || 'ESLU'.includes(position) ? '' : name;
  }
  return places;
}

/**
 * @param {string} label
 * @param {number} index
 * @param {string} text
 * @param {Place[]} places
 */
function labelRow(label, index, text, places) {
  const swatch = element('span', { class: `swatch ${colorOf(index)}`, 'aria-hidden': 'true' });
  const found = places.filter(({ name }) => name === label).map(({ start, end }) => text.slice(start, end));
  const values = found.map((value) => element('span', { class: 'value', translate: 'no' }, value));
  return element('div', {}, element('dt', {}, swatch, inWords(label)), element('dd', {}, ...values));
}
