/** The models of the site, each a link to its own sizes. */

import { element } from '../dom.js';
import { nameOf } from '../model_facts.js';
import { text } from '../texts.js';

/** @typedef {import('../catalogue.js').Entry} Entry */

/**
 * The model that the address names, else the first.
 * @param {Entry[]} entries
 * @returns {{ entry: Entry | undefined, stray: string | null }} `stray`: what the address names, where there is no such model
 */
export function chosenOf(entries) {
  const wanted = new URLSearchParams(location.search).get('model');
  const named = entries.find(({ url }) => url === wanted);
  return { entry: named ?? entries[0], stray: named ? null : wanted };
}

/**
 * @param {Entry[]} entries
 * @param {Entry} chosen
 */
export function modelList(entries, chosen) {
  const links = entries.map((entry) => {
    const current = entry === chosen && 'true';
    const address = `?model=${encodeURIComponent(entry.url)}`;
    return element('li', {}, element('a', { href: address, translate: 'no', 'aria-current': current }, nameOf(entry)));
  });
  return element('nav', { 'aria-label': text('index.models') }, element('ul', { class: 'models' }, ...links));
}
