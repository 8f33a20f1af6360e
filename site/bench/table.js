/** The result in numbers. */

import { formatHundredths, formatNumber } from '../app/format.js';
import { text } from '../app/texts.js';
import { html } from './elements.js';
import { enginesOf, nameInWords, OURS, speed, timesAsLong } from './result.js';

/** @typedef {import('./result.js').Result} Result */
/** @typedef {import('./result.js').Row} Row */

/** @param {Result} result */
export function table(result) {
  const peers = enginesOf(result).filter((name) => name !== OURS);
  const others = peers.map((name) => text('bench.peer', { name }));
  const heads = [text('bench.workload'), text('bench.rates'), ...others, text('bench.spread')];
  const head = html('tr', {}, ...heads.map((words) => html('th', { scope: 'col' }, words)));
  const rows = result.workloads.map((row) => html('tr', {}, html('th', { scope: 'row' }, nameInWords(row.name)), ...cells(row, peers)));
  return html('table', {}, html('caption', {}, text('bench.medians')), html('thead', {}, head), html('tbody', {}, ...rows));
}

/** @param {Row} row @param {string[]} peers */
function cells(row, peers) {
  const own = /** @type {NonNullable<ReturnType<typeof speed>>} */ (speed(row, OURS));
  const spread = range(own, formatNumber);
  const others = peers.map((peer) => {
    const found = timesAsLong(row, peer);
    if (!found) return '–';
    return text('bench.ratio', { middle: formatHundredths(found.middle), range: range(found, formatHundredths) });
  });
  return [formatNumber(own.middle), ...others, spread].map((words) => html('td', {}, words));
}

/** @param {{ low: number, high: number }} found @param {(value: number) => string} format */
function range({ low, high }, format) {
  return text('bench.range', { low: format(low), high: format(high) });
}
