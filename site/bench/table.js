/** The result in numbers. */

import { html } from './elements.js';
import { enginesOf, OURS, speed, timesAsLong } from './result.js';

/** @typedef {import('./result.js').Result} Result */
/** @typedef {import('./result.js').Row} Row */

const short = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });
const ratio = new Intl.NumberFormat('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 });

/** @param {Result} result */
export function table(result) {
  const peers = enginesOf(result).filter((name) => name !== OURS);
  const heads = ['Workload', 'Tokens/s', ...peers.map((name) => `${name} takes × as long`), 'Slowest to fastest'];
  const head = html('tr', {}, ...heads.map((words) => html('th', { scope: 'col' }, words)));
  const rows = result.workloads.map((row) => html('tr', {}, html('th', { scope: 'row' }, row.name), ...cells(row, peers)));
  return html('table', {}, html('caption', {}, 'Medians of all rounds'), html('thead', {}, head), html('tbody', {}, ...rows));
}

/** @param {Row} row @param {string[]} peers */
function cells(row, peers) {
  const own = /** @type {NonNullable<ReturnType<typeof speed>>} */ (speed(row, OURS));
  const spread = `${short.format(own.low)} to ${short.format(own.high)}`;
  const others = peers.map((peer) => {
    const found = timesAsLong(row, peer);
    if (!found) return '–';
    return `${ratio.format(found.middle)} × (${ratio.format(found.low)} to ${ratio.format(found.high)})`;
  });
  return [short.format(own.middle), ...others, spread].map((words) => html('td', {}, words));
}
