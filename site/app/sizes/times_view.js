/** How long a first visit takes, on networks of well-known speeds and on this one. */

import { knownSpeed } from '../connection_speed.js';
import { element } from '../dom.js';
import { formatDuration, formatRate, formatWait } from '../format.js';
import { hasText, text } from '../texts.js';
import { NETWORKS } from './networks.js';
import { sizeTable, untranslated } from './size_table.js';

/** @typedef {import('./size_report.js').SizeReport} SizeReport */
/** @typedef {import('./size_report.js').Network} Network */

/** Beyond that a device's share is no part of what is told. */
const EXACT_SECONDS = 90;

/** @param {SizeReport} report */
export function timesView({ networks, situations, firstVisit, firstResult }) {
  const foretold = situations['first visit'];
  const rows = (networks ?? NETWORKS).map((network) => {
    const { name, bitsPerSecond } = network;
    return cells(nameOf(network), bitsPerSecond, foretold?.seconds[name] ?? (8 * firstVisit) / bitsPerSecond);
  });
  const here = knownSpeed();
  if (here !== null) rows.push(cells(text('sizes.here'), 8 * here, firstVisit / here));
  return [
    sizeTable(['sizes.network', 'sizes.rate', 'sizes.time'], rows),
    element('p', { class: 'note' }, text(foretold ? 'sizes.foretold' : 'sizes.atLeast')),
    ...(firstResult === null ? [] : resultView(firstResult, networks ?? NETWORKS)),
  ];
}

/** @param {import('./size_report.js').FirstResult} result @param {Network[]} networks */
function resultView({ tokens, devices }, networks) {
  const rows = networks.map((network) => [
    [nameOf(network)],
    ...devices.map(([, { [network.name]: seconds }]) => [seconds === undefined ? '–' : exactly(seconds)]),
  ]);
  const names = devices.map(([name]) => {
    const key = `sizes.device.${name}`;
    return hasText(key) ? key : untranslated(name);
  });
  return [
    element('h3', {}, text('sizes.result')),
    sizeTable(['sizes.network', ...names], rows),
    element('p', { class: 'note' }, text('sizes.assumed', { tokens })),
  ];
}

/** @param {number} seconds */
function exactly(seconds) {
  return seconds < EXACT_SECONDS ? formatDuration(1000 * seconds) : formatWait(1000 * seconds);
}

/** @param {Network} network */
function nameOf({ name }) {
  return name === 'fibre' ? text('sizes.fibre') : untranslated(name);
}

/**
 * @param {Node | string} name
 * @param {number} bitsPerSecond
 * @param {number} seconds
 */
function cells(name, bitsPerSecond, seconds) {
  return [[name], [untranslated(formatRate(bitsPerSecond))], [formatWait(1000 * seconds)]];
}
