/** One model of the catalogue, with the verdict for this device. */

import './backend_choice.js';
import { pagesFor } from './catalogue.js';
import { element } from './dom.js';
import { factsList, nameOf, taskInWords } from './model_facts.js';
import { priceList } from './price_list.js';
import { estimateRoom } from './room.js';
import { text } from './texts.js';
import { problemVerdict, verdictView } from './verdict.js';

/** @typedef {import('./catalogue.js').Entry} Entry */

/** @type {Record<string, import('./texts.js').Key>} */
const LABELS = {
  'generate.html': 'use.write',
  'extract.html': 'use.extract',
  'search.html': 'use.search',
  'classify.html': 'use.classify',
};

/** @param {Entry} entry */
export function modelCard(entry) {
  const price = element('div', {}, priceList(entry));
  const facts = element('div', {}, factsList(entry));
  const verdict = element(
    'div',
    { class: 'verdict-slot' },
    element('p', { class: 'verdict' }, text('panel.checking')),
  );
  const card = element(
    'li',
    {},
    element(
      'article',
      { class: 'card' },
      element('h3', { translate: 'no' }, entry.manifest.title),
      element('p', { class: 'task' }, taskInWords(entry)),
      price,
      verdict,
      element('div', {}, facts, sizesLink(entry)),
      ...openLinks(entry),
    ),
  );
  void judge(entry, { price, facts, verdict });
  return card;
}

/** @param {Entry} entry */
function openLinks(entry) {
  const links = pagesFor(entry).map(({ page, address }, i) => {
    const label = text(LABELS[page] ?? 'use.search');
    const look = i === 0 ? 'button' : 'button quiet';
    return element('a', { class: look, href: address, 'aria-label': `${label}: ${nameOf(entry)}` }, label);
  });
  return links.length === 0 ? [] : [element('p', { class: 'row' }, ...links)];
}

/** @param {Entry} entry */
function sizesLink(entry) {
  const address = `sizes.html?model=${encodeURIComponent(entry.url)}`;
  const label = text('use.sizes');
  return element('p', { class: 'note' }, element('a', { href: address, 'aria-label': `${label} ${nameOf(entry)}` }, label));
}

/**
 * @param {Entry} entry
 * @param {Record<'price' | 'facts' | 'verdict', HTMLElement>} slots
 */
async function judge(entry, { price, facts, verdict }) {
  try {
    const { inspect } = await import('../engine/index.js');
    const url = new URL(entry.url, document.baseURI).href;
    const [inspection, room] = await Promise.all([inspect(url, {}), estimateRoom()]);
    price.replaceChildren(priceList(entry, inspection, room));
    facts.replaceChildren(factsList(entry, inspection));
    verdict.replaceChildren(...verdictView(inspection));
  } catch (error) {
    verdict.replaceChildren(...problemVerdict(error));
  }
}
