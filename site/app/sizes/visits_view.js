/** What a first, a repeat visit and an update download. */

import { element } from '../dom.js';
import { formatBytes, formatExactBytes } from '../format.js';
import { text } from '../texts.js';
import { sum } from './size_report.js';

/** @typedef {import('./size_report.js').SizeReport} SizeReport */

/** @param {SizeReport} report @param {boolean | null} current whether page and engine are those of this site, if that is known */
export function visitsView(report, current) {
  const { firstVisit, repeatVisit } = report;
  return element(
    'dl',
    { class: 'visits' },
    visit('sizes.first', bytes(firstVisit), text(current ? 'sizes.first.now' : 'sizes.first.note')),
    visit('sizes.repeat', bytes(repeatVisit), text('sizes.repeat.note')),
    update(report),
  );
}

/** What another build changes is known to a report that compares; the files it may change, to every one. @param {SizeReport} report */
function update({ situations, parts, firstVisit }) {
  const { update: known } = situations;
  if (known !== undefined) return visit('sizes.update', bytes(known.travels), text('sizes.update.known'));
  const program = sum(parts.filter(({ name }) => name === 'program'));
  return visit(
    'sizes.update',
    [element('strong', {}, text('sizes.update.changed'))],
    text('sizes.update.program', { size: formatExactBytes(program) }),
    text('sizes.update.model', { size: formatExactBytes(firstVisit - program) }),
  );
}

/** @param {number} count */
function bytes(count) {
  const exact = formatExactBytes(count);
  const rounded = formatBytes(count);
  return [element('strong', {}, rounded), ...(rounded === exact ? [] : [element('span', { class: 'exact' }, exact)])];
}

/**
 * @param {import('../texts.js').Key} name
 * @param {Node[]} value
 * @param {...string} notes
 */
function visit(name, value, ...notes) {
  const said = notes.map((note) => element('dd', { class: 'note numbers' }, note));
  return element('div', { class: 'panel' }, element('dt', {}, text(name)), element('dd', { class: 'numbers' }, ...value), ...said);
}
