/** What a visitor should know about a model before downloading it. */

import { purposeOf } from './catalogue.js';
import { element } from './dom.js';
import { formatCompact, formatLanguage } from './format.js';
import { hasText, text } from './texts.js';

/** @typedef {import('./catalogue.js').Entry} Entry */
/** @typedef {import('../engine/index.js').Inspection} Inspection */

/** @type {Record<string, import('./texts.js').Key>} */
const FEATURES = { 'shader-f16': 'fact.halves', subgroups: 'fact.subgroups' };

/** @type {Record<string, number>} */
const BITS = { f32: 32, f16: 16, q8: 8, q4: 4, e3: 3, 'e3.5': 3.5, e4: 4, 'e4.5': 4.5, e5: 5, e6: 6 };

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
 * The tier that this device plays; until it has been inspected, the plainest.
 * @param {Entry} entry
 * @param {Inspection} [inspection]
 */
export function tierOf(entry, inspection) {
  return inspection?.tier ?? modestTier(entry);
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
    ...fact('languages', manifest.languages.map(formatLanguage).join(', ') || text('fact.unstated')),
    ...fact('licence', manifest.license ?? text('fact.unstated')),
    ...fact('size', text('fact.parameters', { size: formatCompact(manifest.parameters), bits: weightsOf(manifest) })),
    ...fact('reads', text('fact.tokens', { n: manifest.context })),
    ...fact('needs', inspection?.backend === 'wasm' ? text('fact.processor') : needsOfGraphics(entry, inspection)),
  );
}

/** @param {Entry} entry @param {Inspection} [inspection] */
function needsOfGraphics(entry, inspection) {
  const features = entry.manifest.plans[tierOf(entry, inspection)]?.features ?? [];
  return needsInWords(features);
}

/** @param {string[]} features of WebGPU */
export function needsInWords(features) {
  return ['WebGPU', ...features.map(featureInWords)].join(', ');
}

/** @param {string} name of a feature of WebGPU */
function featureInWords(name) {
  const key = FEATURES[name];
  return key === undefined ? name : text(key);
}

/**
 * @param {'needs' | 'size' | 'reads' | 'languages' | 'licence'} name
 * @param {string} value
 */
function fact(name, value) {
  return [element('dt', {}, text(`fact.${name}`)), element('dd', { class: 'numbers' }, value)];
}
