/** The message again, with what was found in it marked. */

import { element } from './dom.js';
import { hasText, text } from './texts.js';
import { cutAt } from './value_places.js';

/** @typedef {import('./value_places.js').Piece} Piece */

/**
 * A name that stands in the right half of its box is shown to the left of its mark's end, where there is room.
 * @param {HTMLElement} box
 */
export function connectMarks(box) {
  for (const type of ['pointerover', 'focusin']) {
    box.addEventListener(type, ({ target }) => {
      const mark = target instanceof Element ? target.closest('mark') : null;
      const { left, width } = box.getBoundingClientRect();
      mark?.classList.toggle('far', mark.getBoundingClientRect().left > left + width / 2);
    });
  }
}

/**
 * @param {HTMLElement} box
 * @param {string} message
 * @param {import('./value_places.js').Place[]} places
 * @param {string[]} fields in the order that gives them their colours
 */
export function showMarked(box, message, places, fields) {
  const pieces = cutAt(message, places);
  box.replaceChildren(...pieces.map((piece) => (piece.names.length === 0 ? piece.text : mark(piece, fields))));
}

/**
 * The name is there for all who ask: for screen readers always, for others when the mark is pointed at or focused.
 * @param {Piece} piece
 * @param {string[]} fields
 */
function mark({ text: found, names }, fields) {
  const name = element('span', { class: 'mark-name', translate: 'yes' }, `${names.map(inWords).join(', ')} `);
  const color = colorOf(fields.indexOf(names[0] ?? ''));
  return element('mark', { class: color, tabindex: '0' }, name, element('span', { class: 'mark-text' }, found));
}

const COLORS = 6;

/**
 * The class that gives a field its colour.
 * @param {number} index of the field
 */
export function colorOf(index) {
  return `field-${(Math.max(0, index) % COLORS) + 1}`;
}

/** @param {string} name of a kind or a field, as the model knows it: `unit_price`; one that the page does not know stays as it is */
export function inWords(name) {
  const key = `field.${name}`;
  if (hasText(key)) return text(key);
  const words = name.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
