/** A table whose rows begin with what they are about. */

import { element } from '../dom.js';
import { text } from '../texts.js';

/** @typedef {import('../texts.js').Key} Key */

/**
 * @param {(Key | Node)[]} headings
 * @param {(Node | string)[][][]} rows of cells, each of what stands in it
 * @param {string} [caption] for those who do not see what it stands under
 */
export function sizeTable(headings, rows, caption) {
  const head = headings.map((name) => element('th', { scope: 'col' }, typeof name === 'string' ? text(name) : name));
  return element(
    'table',
    {},
    ...(caption === undefined ? [] : [element('caption', { class: 'visually-hidden' }, caption)]),
    element('thead', {}, element('tr', {}, ...head)),
    element('tbody', {}, ...rows.map(row)),
  );
}

/** @param {(Node | string)[][]} cells */
function row([name, ...values]) {
  return element(
    'tr',
    {},
    element('th', { scope: 'row' }, ...name),
    ...values.map((value) => element('td', { class: 'numbers' }, ...value)),
  );
}

/** @param {string} words */
export function small(words) {
  return element('small', {}, words);
}

/** @param {string} name that is in no language */
export function untranslated(name) {
  return element('span', { translate: 'no' }, name);
}
