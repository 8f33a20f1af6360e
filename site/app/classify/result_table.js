/** The table of many texts and their labels: a part of the rows at a time, in any order, of all labels or one. */

import { button, byId, element } from '../dom.js';
import { formatHundredths, formatWhole } from '../format.js';
import { text as say } from '../texts.js';
import { arranged, countLabels, labelGiven } from './sorted_texts.js';

/**
 * @typedef {import('./sorted_texts.js').Row} Row
 * @typedef {import('./sorted_texts.js').Order} Order
 */

/** So many rows more at a time: thousands would make the page slow. */
const PART = 100;

const section = byId('sorted', HTMLElement);
const chips = byId('counts', HTMLElement);
const body = byId('rows', HTMLTableSectionElement);
const more = byId('more', HTMLElement);
const heads = [...section.querySelectorAll('th')];

/** @type {Row[]} */
let rows = [];
/** @type {string[]} */
let labels = [];
let least = 0;
let shown = PART;
/** @type {import('./sorted_texts.js').View} */
let view = { only: undefined, by: 'place', down: false };

export function connectTable() {
  for (const head of heads) head.querySelector('button')?.addEventListener('click', () => orderBy(head));
  chips.addEventListener('change', ({ target }) => {
    const { value } = /** @type {HTMLInputElement} */ (target);
    view = { ...view, only: value === 'all' ? undefined : value === 'none' ? null : labels[Number(value)] };
    showFirst();
  });
}

/**
 * @param {Row[]} all
 * @param {string[]} names of the labels that there are
 * @param {number} leastScore
 */
export function showTable(all, names, leastScore) {
  [rows, least] = [all, leastScore];
  if (names.join('\n') !== labels.join('\n') || chips.childElementCount < 2) showChips(names);
  section.hidden = rows.length === 0;
  showCounts();
  showRows();
}

/** @param {HTMLTableCellElement} head of the column: a second time turns the order round, a third gives the texts' own back */
function orderBy(head) {
  const by = /** @type {Order} */ (head.dataset.order);
  const downFirst = by === 'score';
  if (view.by !== by) view = { ...view, by, down: downFirst };
  else if (view.down === downFirst) view = { ...view, down: !downFirst };
  else view = { ...view, by: 'place', down: false };
  for (const each of heads) each.removeAttribute('aria-sort');
  if (view.by === by) head.setAttribute('aria-sort', view.down ? 'descending' : 'ascending');
  showFirst();
}

/** @param {string[]} names */
function showChips(names) {
  labels = names;
  view = { ...view, only: undefined };
  const legend = chips.querySelector('legend') ?? '';
  const each = names.map((name, i) => chip(String(i), element('span', { translate: 'no' }, name)));
  chips.replaceChildren(legend, chip('all', say('table.all')), ...each, chip('none', say('classify.none')));
}

/**
 * @param {string} value
 * @param {string | Node} label
 */
function chip(value, label) {
  const box = element('input', { type: 'radio', name: 'only', value, checked: value === 'all' });
  const count = element('span', { class: 'numbers count' });
  return element('label', { class: 'choice chip' }, box, element('span', {}, label), count);
}

function showCounts() {
  const counts = countLabels(rows, least);
  for (const input of chips.querySelectorAll('input')) {
    const { value } = input;
    const n = value === 'all' ? rows.length : (counts.get(value === 'none' ? null : labels[Number(value)]) ?? 0);
    const count = input.parentElement?.querySelector('.count');
    if (count) count.textContent = formatWhole(n);
  }
}

function showFirst() {
  shown = PART;
  showRows();
}

function showRows() {
  const found = arranged(rows, view, least);
  body.replaceChildren(...found.slice(0, shown).map(rowOf));
  const rest = found.length - shown;
  more.replaceChildren(...(rest > 0 ? [moreButton(Math.min(rest, PART), found.length)] : []));
}

/**
 * @param {number} n
 * @param {number} total
 */
function moreButton(n, total) {
  const label = say('table.more', { count: formatWhole(n), shown: formatWhole(shown), total: formatWhole(total) });
  return button(label, () => {
    const first = shown;
    shown += PART;
    showRows();
    /** @type {HTMLElement | undefined} */ (body.children[first])?.focus();
  }, { class: 'quiet' });
}

/** @param {Row} row */
function rowOf({ text, best }) {
  const label = labelGiven(best, least);
  return element(
    'tr',
    { tabindex: '-1' },
    element('td', { translate: 'no' }, element('div', { class: 'clip' }, text)),
    label === null ? element('td', { class: 'absent' }, say('classify.none')) : element('td', { translate: 'no' }, label),
    element('td', { class: 'numbers' }, best ? formatHundredths(best.score) : ''),
  );
}
