/** What a visitor should know about a model before downloading it. */

import { purposeOf } from './catalogue.js';
import { element } from './dom.js';
import { formatBytes, formatCompact, formatExactBytes, formatLanguage } from './format.js';
import { hasText, text } from './texts.js';

/** @typedef {import('./catalogue.js').Entry} Entry */
/** @typedef {import('../engine/index.js').Inspection} Inspection */

/** @type {Record<string, import('./texts.js').Key>} */
const FEATURES = { 'shader-f16': 'fact.halves', subgroups: 'fact.subgroups' };

/** @type {Record<string, number>} */
const BITS = { f32: 32, f16: 16, q8: 8, q4: 4 };

/** @param {Entry} entry */
export function taskInWords(entry) {
  const key = `task.${purposeOf(entry)}`;
  return hasText(key) ? text(key) : text('task.other', { task: entry.manifest.task });
}

/**
 * A name that tells two builds of one model apart.
 * @param {Entry} entry
 */
export function nameOf({ manifest }) {
  return `${manifest.title}, ${weightsOf(manifest)}`;
}

/** @param {Entry['manifest']} manifest */
function weightsOf({ quantization }) {
  const n = BITS[quantization];
  return n === undefined ? quantization : text('fact.bits', { n });
}

/**
 * The tier with the fewest demands, which stands for the model until the device has been inspected.
 * @param {Entry} entry
 */
function modestTier(entry) {
  const tiers = Object.entries(entry.manifest.plans);
  tiers.sort(([, a], [, b]) => a.features.length - b.features.length);
  return tiers[0]?.[0] ?? 'base';
}

/**
 * What a first visit downloads: with WebGPU by tier, without it what runs the model on the processor too.
 * @param {Entry} entry
 * @param {Inspection} [inspection] of this device, once it is known
 * @returns {number | undefined} bytes
 */
export function downloadOf(entry, inspection) {
  const { transferBytes, downloadBytes } = entry.manifest;
  const visit = inspection ? inspection.tier ?? 'wasm' : modestTier(entry);
  return transferBytes?.[visit] ?? downloadBytes[visit] ?? inspection?.downloadBytes;
}

/**
 * Whether earlier visits have left the whole model on this device.
 * @param {Inspection} inspection
 */
export function isKept({ cachedBytes, downloadBytes }) {
  return cachedBytes >= downloadBytes;
}

/**
 * @param {Entry} entry
 * @param {Inspection} [inspection] of this device, once it is known
 */
export function factsList(entry, inspection) {
  const { manifest } = entry;
  return element(
    'dl',
    { class: 'facts' },
    ...fact('download', ...(inspection && isKept(inspection) ? [text('fact.here')] : size(downloadOf(entry, inspection)))),
    ...(inspection?.backend === 'wasm' ? needsOfProcessor(inspection) : needsOfGraphics(entry, inspection)),
    ...fact('size', text('fact.parameters', { size: formatCompact(manifest.parameters), bits: weightsOf(manifest) })),
    ...fact('reads', text('fact.tokens', { n: manifest.context })),
    ...fact('languages', manifest.languages.map(formatLanguage).join(', ') || text('fact.unstated')),
    ...fact('licence', manifest.license ?? text('fact.unstated')),
  );
}

/** @param {Entry} entry @param {Inspection} [inspection] */
function needsOfGraphics(entry, inspection) {
  const plan = entry.manifest.plans[inspection?.tier ?? modestTier(entry)];
  return [
    ...fact('memory', ...size(inspection?.memoryBytes ?? plan?.memory.total)),
    ...fact('needs', ['WebGPU', ...(plan?.features ?? []).map(featureInWords)].join(', ')),
  ];
}

/** @param {Inspection} inspection */
function needsOfProcessor({ memoryBytes }) {
  return [
    ...fact('ram', text('fact.about', { size: formatBytes(memoryBytes) })),
    ...fact('needs', text('fact.processor')),
  ];
}

/** @param {string} name of a feature of WebGPU */
function featureInWords(name) {
  const key = FEATURES[name];
  return key === undefined ? name : text(key);
}

/**
 * @param {'download' | 'memory' | 'ram' | 'needs' | 'size' | 'reads' | 'languages' | 'licence'} name
 * @param {...(Node | string)} value
 */
function fact(name, ...value) {
  return [element('dt', {}, text(`fact.${name}`)), element('dd', { class: 'numbers' }, ...value)];
}

/** @param {number | undefined} bytes */
function size(bytes) {
  if (bytes === undefined) return [text('fact.unstated')];
  return [`${formatBytes(bytes)} `, element('small', {}, formatExactBytes(bytes))];
}
