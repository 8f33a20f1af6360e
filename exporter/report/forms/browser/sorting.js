/** Tables that sort by a column when its heading is pressed. */

import { sortKey } from './numbers.js';

/** @param {HTMLTableElement} table */
export function makeSortable(table) {
  for (const heading of /** @type {NodeListOf<HTMLTableCellElement>} */ (table.querySelectorAll('thead th'))) {
    const button = document.createElement('button');
    button.append(...heading.childNodes);
    button.addEventListener('click', () => sort(table, heading));
    heading.append(button);
  }
}

/**
 * Numbers begin with the largest, words with the first; pressed again it is the other way round.
 * @param {HTMLTableElement} table
 * @param {HTMLTableCellElement} heading
 */
function sort(table, heading) {
  const body = table.tBodies[0];
  const column = heading.cellIndex;
  const rows = [...body.rows].map((row) => ({ row, key: sortKey(row.cells[column].textContent ?? '') }));
  const numeric = rows.some(({ key }) => typeof key === 'number');
  const before = heading.getAttribute('aria-sort');
  const falling = before === null ? numeric : before === 'ascending';
  for (const other of table.querySelectorAll('thead th')) other.removeAttribute('aria-sort');
  heading.setAttribute('aria-sort', falling ? 'descending' : 'ascending');
  rows.sort((one, two) => (falling ? -1 : 1) * compare(one.key, two.key));
  body.append(...rows.map(({ row }) => row));
}

/**
 * @param {number | string} one
 * @param {number | string} two
 */
function compare(one, two) {
  if (typeof one === 'number' && typeof two === 'number') return one - two;
  if (typeof one === typeof two) return String(one).localeCompare(String(two), 'en', { numeric: true });
  return typeof one === 'number' ? 1 : -1;
}
