/** What to do where the site has no model to offer. */

import { element } from './dom.js';
import { text } from './texts.js';

/** @typedef {import('./catalogue.js').Entry} Entry */

const COMMAND = '.venv/bin/thistledown';

/** @type {Record<string, { title: import('./texts.js').Key, source: string, name?: string, options: string }>} */
const MISSING = {
  'text-generation': {
    title: 'empty.text-generation',
    source: 'ibm-granite/granite-4.0-h-350m',
    options: ' --quantize q4',
  },
  extraction: {
    title: 'empty.extraction',
    source: 'exporter/reduction/extraction/thistledown-extract',
    name: 'extract',
    options: ' --quantize q8',
  },
  'sentence-embedding': {
    title: 'empty.sentence-embedding',
    source: 'minilm',
    options: '',
  },
};
/** @type {typeof MISSING[string]} */
const ANY = { title: 'empty.any', source: 'minilm', options: '' };

/**
 * @param {Entry[]} entries the models that the site has; serving them goes on
 * @param {string} [purpose] a task, or `extraction`, that none of them does; leave out for a site without any model
 */
export function emptyNotice(entries, purpose) {
  const { title, source, name, options } = MISSING[purpose ?? ''] ?? ANY;
  const folder = `build/models/${name ?? source.split('/').pop()?.toLowerCase()}`;
  const served = [...entries.map(({ url }) => `build/${url.replace(/\/$/, '')}`), folder].join(' ');
  return [
    element('h3', {}, text(title)),
    element('p', {}, text('empty.how')),
    element(
      'pre',
      { tabindex: '0', translate: 'no', role: 'group', 'aria-label': text('empty.commands') },
      `${COMMAND} export ${source} -o ${folder}${options}\n${COMMAND} serve ${served}`,
    ),
  ];
}
