/** The About page: its words stand in its HTML; the licences of the models on this site are the catalogue's. */

import { fetchCatalogue } from './catalogue.js';
import { byId, element } from './dom.js';
import { text } from './texts.js';

async function showLicences() {
  const entries = await fetchCatalogue().catch(() => []);
  byId('licence-list', HTMLElement).replaceChildren(
    ...entries.flatMap(({ manifest: { title, license } }) => [
      element('dt', { translate: 'no' }, title),
      element('dd', {}, license ?? text('fact.unstated')),
    ]),
  );
  byId('licences', HTMLElement).hidden = entries.length === 0;
}

void showLicences();
