/** What each tier of device downloads, and the memory that it takes there. */

import { formatBytes, formatWhole } from '../format.js';
import { needsInWords } from '../model_facts.js';
import { hasText, text } from '../texts.js';
import { sizeTable, small, untranslated } from './size_table.js';

/**
 * @typedef {import('../catalogue.js').Entry} Entry
 * @typedef {import('./size_report.js').SizeReport} SizeReport
 */

/**
 * @param {SizeReport} report
 * @param {Entry} entry
 */
export function tiersView(report, { manifest }) {
  const rows = Object.entries(report.tiers ?? manifest.plans).map(([name, { features, memory }]) => [
    [untranslated(name), small(needsInWords(features))],
    [firstVisitOf(report, name)],
    [formatBytes(memory.total ?? 0), ...uses(memory).map(small)],
  ]);
  return sizeTable(['sizes.tier', 'sizes.first.bytes', 'fact.memory'], rows);
}

/** The visit fetches one plan, that of the device's tier. @param {SizeReport} report @param {string} tier */
function firstVisitOf({ firstVisit, files, tier: counted }, tier) {
  const [own, other] = [tier, counted].map((name) => files.find(({ file }) => file === 'plan.'.concat(name, '.json')));
  if (own === undefined || other === undefined) return tier === counted ? formatWhole(firstVisit) : '–';
  return formatWhole(firstVisit - other.travels + own.travels);
}

/** @param {Record<string, number>} memory bytes by use */
function uses(memory) {
  return Object.entries(memory).flatMap(([use, bytes]) => {
    const key = `sizes.use.${use}`;
    return bytes > 0 && hasText(key) ? [text(key, { size: formatBytes(bytes) })] : [];
  });
}
