/** Puts the treemap and sorting into the page, which without them has all tables. */

import { makeSortable } from './sorting.js';
import { tileOf } from './tiles.js';
import { Treemap } from './treemap.js';

/** @param {string} id */
function byId(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/** @type {import('./tiles.js').Branch} */
const tree = JSON.parse(byId('tree').textContent ?? '');
const treemap = new Treemap(byId('stage'), byId('crumbs'), byId('told'));
byId('map').hidden = false;
treemap.show(tileOf(tree, true));
for (const choice of document.querySelectorAll('input[name="counted"]')) {
  choice.addEventListener('change', () => {
    treemap.show(tileOf(tree, /** @type {HTMLInputElement} */ (choice).value === 'visit'));
  });
}
for (const table of document.querySelectorAll('table.sortable')) {
  makeSortable(/** @type {HTMLTableElement} */ (table));
}
