/** What a first visit consists of: a picture of shares, and each part with its files. */

import { element } from '../dom.js';
import { formatBytes, formatExactBytes } from '../format.js';
import { text } from '../texts.js';
import { shareBar, shareInWords } from './share_bar.js';
import { sizeTable, small, untranslated } from './size_table.js';

/**
 * @typedef {import('./size_report.js').SizeReport} SizeReport
 * @typedef {import('./size_report.js').Part} Part
 * @typedef {import('./size_report.js').ReportFile} ReportFile
 */

/** Files are named by their hash, which says nothing after a few letters. */
const HASH_NAMED = /^([0-9a-f]{12})[0-9a-f]{52}(?=\.)/;

/** @param {SizeReport} report */
export function partsView({ parts, firstVisit }) {
  return element('ul', { class: 'parts' }, ...parts.map((part) => element('li', {}, partView(part, firstVisit))));
}

/**
 * @param {Part} part
 * @param {number} whole
 */
function partView({ name, raw, travels, files }, whole) {
  const title = text(`sizes.part.${name}`);
  const size = `${formatBytes(travels)} · ${shareInWords(travels, whole)}`;
  const exact = formatExactBytes(travels);
  return element(
    'details',
    { class: 'panel' },
    element(
      'summary',
      {},
      element('span', { class: 'name' }, title),
      element('span', { class: 'numbers' }, size),
      shareBar(travels, whole),
    ),
    element('p', { class: 'note' }, text(`sizes.part.${name}.what`)),
    element('p', { class: 'numbers' }, raw === travels ? exact : text('sizes.unpacked', { size: exact, raw: formatExactBytes(raw) })),
    sizeTable(['sizes.file', 'sizes.travels', 'sizes.raw'], files.map(fileCells), title),
  );
}

/** @param {ReportFile} file */
function fileCells({ file, travels, raw, bits }) {
  const name = untranslated(file.replace(HASH_NAMED, '$1…'));
  const note = bits === null ? [] : [small(text('sizes.bits', { n: bits }))];
  return [[name, ...note], [formatBytes(travels)], [formatBytes(raw)]];
}
