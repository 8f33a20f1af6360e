/** Bars of tokens per second, a group a workload and a bar an engine, with a line from the slowest round to the fastest. */

import { formatNumber } from '../app/format.js';
import { text } from '../app/texts.js';
import { html, svg } from './elements.js';
import { enginesOf, nameInWords, speed } from './result.js';

/** @typedef {import('./result.js').Result} Result */
/** @typedef {import('./result.js').Row} Row */

const WIDTH = 420;
const BAR = 22;
const GAP = 14;
const VALUE_ROOM = 130;

/** @param {Result} result @returns {HTMLElement} one plot a workload: their speeds differ by orders of magnitude */
export function plots(result) {
  const engines = enginesOf(result);
  const figures = result.workloads.map((row) => figure(row, engines));
  const key = html('p', { class: 'note key' }, text('bench.bars'));
  return html('div', { class: 'plots' }, ...(engines.length > 1 ? [legend(engines)] : []), ...figures, key);
}

/** @param {string[]} engines */
function legend(engines) {
  const entries = engines.map((name, i) => html('li', {}, html('span', { class: `swatch engine-${i}` }), name));
  return html('ul', { class: 'legend', 'aria-label': text('bench.engines') }, ...entries);
}

/** @param {Row} row @param {string[]} engines */
function figure(row, engines) {
  const speeds = engines.map((name) => ({ name, found: speed(row, name) }));
  const most = Math.max(...speeds.map(({ found }) => found?.high ?? 0));
  const height = speeds.length * BAR + GAP;
  const bars = speeds.flatMap(({ found }, i) => (found ? bar(found, i, most) : []));
  const words = speeds.map(({ name, found }) => `${name} ${found ? rate(found.middle) : text('bench.unmeasured')}`);
  const title = nameInWords(row.name);
  const drawing = svg(
    'svg',
    { viewBox: `0 0 ${WIDTH} ${height}`, role: 'img', 'aria-label': `${title}: ${words.join('; ')}` },
    ...bars,
  );
  return html('figure', {}, html('figcaption', {}, title), drawing);
}

/** @param {number} value */
function rate(value) {
  return text('bench.rate', { rate: formatNumber(value) });
}

/** @param {{ middle: number, low: number, high: number }} speed @param {number} index @param {number} most */
function bar({ middle, low, high }, index, most) {
  const x = (/** @type {number} */ rate) => (rate / most) * (WIDTH - VALUE_ROOM);
  const top = index * BAR + GAP / 2;
  const centre = top + BAR - 4;
  return [
    svg('rect', { class: `engine-${index}`, x: 0, y: top, width: Math.max(1, x(middle)), height: BAR - 6, rx: 3 }),
    svg('line', { class: 'spread', x1: x(low), x2: x(high), y1: centre, y2: centre }),
    svg('text', { x: x(high) + 8, y: top + (BAR - 6) / 2, 'dominant-baseline': 'central' }, rate(middle)),
  ];
}
