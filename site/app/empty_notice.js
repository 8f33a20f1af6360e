/** What to do where the site has no model to offer. */

import { modelsFor, pageFor } from './catalogue.js';
import { element } from './dom.js';
import { text, textParts } from './texts.js';

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
  const [extractor] = purpose === 'text-generation' ? modelsFor(entries, 'extraction') : [];
  const words = extractor ? onlyFields(extractor) : [element('h3', {}, text(title)), element('p', {}, text('empty.how'))];
  return [
    ...words,
    element(
      'pre',
      { tabindex: '0', translate: 'no', role: 'group', 'aria-label': text('empty.commands') },
      `${COMMAND} export ${source} -o ${folder}${options}\n${COMMAND} serve ${served}`,
    ),
  ];
}

/** Where the one model that could write text does something else with it. @param {Entry} extractor */
function onlyFields(extractor) {
  const model = element('span', { translate: 'no' }, extractor.manifest.title);
  const link = element('a', { href: pageFor(extractor) ?? '' }, text('use.extract'));
  return [element('h3', {}, text('empty.fields')), element('p', {}, ...textParts('empty.fields.how', { model, link }))];
}
