/** What loading a model costs on this device: download and its time, graphics memory, room on the disk. */

import { likelySpeed } from './connection_speed.js';
import { element } from './dom.js';
import { formatBytes, formatExactBytes, formatRate, formatWait } from './format.js';
import { downloadOf, isKept, tierOf } from './model_facts.js';
import { text, textParts } from './texts.js';

/** @typedef {import('./catalogue.js').Entry} Entry */
/** @typedef {import('../engine/index.js').Inspection} Inspection */
/** @typedef {Awaited<ReturnType<typeof import('./room.js').estimateRoom>>} Room */

const WAITS = /** @type {const} */ ({ carried: 'fact.wait', browser: 'fact.wait.browser', example: 'fact.wait.example' });

/**
 * @param {Entry} entry
 * @param {Inspection} [inspection] of this device, once it is known
 * @param {Room} [room]
 */
export function priceList(entry, inspection, room = null) {
  return element(
    'dl',
    { class: 'price' },
    ...row('download', ...download(entry, inspection)),
    ...memory(entry, inspection),
    ...disk(inspection, room),
  );
}

/**
 * @param {Entry} entry
 * @param {Inspection} [inspection]
 */
function download(entry, inspection) {
  const whole = downloadOf(entry, inspection);
  if (inspection && isKept(inspection)) return [strong(text('fact.here')), small(formatBytes(inspection.downloadBytes))];
  if (!inspection || inspection.cachedBytes === 0) return [...size(whole), ...wait(whole)];
  const rest = inspection.downloadBytes - inspection.cachedBytes;
  const of = small(text('fact.rest', { size: formatBytes(inspection.downloadBytes) }));
  return [strong(formatBytes(rest)), of, ...wait(rest)];
}

/**
 * @param {Entry} entry
 * @param {Inspection} [inspection]
 */
function memory(entry, inspection) {
  const bytes = inspection?.memoryBytes ?? entry.manifest.plans[tierOf(entry, inspection)]?.memory.total;
  if (inspection?.backend !== 'wasm') return row('memory', ...size(bytes));
  return row('ram', strong(text('fact.about', { size: formatBytes(inspection.memoryBytes) })));
}

/** How long that takes, and at which speed unless it is this connection's own. @param {number | undefined} bytes */
function wait(bytes) {
  if (bytes === undefined) return [];
  const { bytesPerSecond, source } = likelySpeed();
  const time = formatWait((1000 * bytes) / bytesPerSecond);
  const speed = element('span', { translate: 'no' }, formatRate(8 * bytesPerSecond));
  return [element('small', { class: 'wait' }, ...textParts(WAITS[source], { time, speed }))];
}

/**
 * @param {Inspection | undefined} inspection
 * @param {Room} room
 */
function disk(inspection, room) {
  if (!inspection || room === null || isKept(inspection)) return [];
  const needed = inspection.downloadBytes - inspection.cachedBytes;
  const free = Math.max(0, room.allowed - room.used);
  const words = { size: formatBytes(free) };
  const note = free < needed ? element('small', { class: 'doubt' }, text('fact.full', words)) : small(text('fact.free', words));
  return row('room', strong(formatBytes(needed)), note);
}

/**
 * @param {'download' | 'memory' | 'ram' | 'room'} name
 * @param {...Node} value
 */
function row(name, ...value) {
  return [element('dt', {}, text(`fact.${name}`)), element('dd', { class: 'numbers' }, ...value.flatMap((each) => [each, ' ']))];
}

/** @param {number | undefined} bytes */
function size(bytes) {
  if (bytes === undefined) return [strong(text('fact.unstated'))];
  return [strong(formatBytes(bytes)), small(formatExactBytes(bytes))];
}

/** @param {string} words */
function strong(words) {
  return element('strong', {}, words);
}

/** @param {string} words */
function small(words) {
  return element('small', {}, words);
}
