/** What the bytes do in the model, with the bits that each of its numbers takes. */

import { element } from '../dom.js';
import { formatBytes, formatNumber } from '../format.js';
import { hasText, text } from '../texts.js';
import { reportCommand } from './report_command.js';
import { shareBar, shareInWords } from './share_bar.js';
import { sizeTable, small, untranslated } from './size_table.js';

/** @typedef {import('./size_report.js').SizeReport} SizeReport */
/** @typedef {import('./size_report.js').Role} Role */

/**
 * @param {SizeReport} report
 * @param {import('../catalogue.js').Entry} entry
 */
export function rolesView({ roles, bits, firstVisit }, entry) {
  const all = element('p', { class: 'numbers' }, text('sizes.bits.all', { bits: text('sizes.bits', { n: bits }) }));
  if (roles === null) return [all, element('p', { class: 'note' }, text('sizes.short')), reportCommand(entry)];
  const rows = roles.map((role) => roleCells(role, firstVisit));
  return [all, sizeTable(['sizes.role', 'sizes.travels', 'sizes.bits.column'], rows)];
}

/**
 * @param {Role} role
 * @param {number} whole
 */
function roleCells({ name, travels, bits }, whole) {
  return [
    [roleInWords(name), shareBar(travels, whole)],
    [formatBytes(travels), small(shareInWords(travels, whole))],
    [bits === null ? '–' : formatNumber(bits)],
  ];
}

/** @param {string} name */
function roleInWords(name) {
  const key = `sizes.role.${name}`;
  return hasText(key) ? text(key) : untranslated(name);
}
