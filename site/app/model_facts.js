/** What a visitor should know about a model before downloading it. */

import { purposeOf } from './catalogue.js';
import { element } from './dom.js';
import { formatBytes, formatCompact, formatCount, formatExactBytes, formatLanguage } from './format.js';

/** @typedef {import('./catalogue.js').Entry} Entry */
/** @typedef {import('../engine/index.js').Inspection} Inspection */

/** @type {Record<string, string>} */
const TASKS = {
  'sentence-embedding': 'Searches and compares texts by meaning',
  'text-generation': 'Writes text',
  extraction: 'Picks fields out of messages',
  'text-classification': 'Sorts texts by labels (for your own pages: this site has none for it)',
  'token-classification': 'Labels the words of a text (for your own pages: this site has none for it)',
  'fill-mask': 'Fills in masked words (for your own pages: this site has none for it)',
};

/** @type {Record<string, string>} */
const FEATURES = { 'shader-f16': '16-bit arithmetic', subgroups: 'subgroups' };

/** @type {Record<string, string>} */
const WEIGHTS = { f32: '32‑bit', f16: '16‑bit', q8: '8‑bit', q4: '4‑bit' };

/** @param {Entry} entry */
export function taskInWords(entry) {
  return TASKS[purposeOf(entry)] ?? `Does “${entry.manifest.task}”, for which this site has no page`;
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
  return WEIGHTS[quantization] ?? quantization;
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
    ...fact('Download', ...(inspection && isKept(inspection) ? ['already here'] : size(downloadOf(entry, inspection)))),
    ...(inspection?.backend === 'wasm' ? needsOfProcessor(inspection) : needsOfGraphics(entry, inspection)),
    ...fact(
      'Size',
      `${formatCompact(manifest.parameters)} parameters, ${weightsOf(manifest)}`,
    ),
    ...fact('Reads', `up to ${formatCount(manifest.context, 'token')}`),
    ...fact('Languages', manifest.languages.map(formatLanguage).join(', ') || 'not stated'),
    ...fact('Licence', manifest.license ?? 'not stated'),
  );
}

/** @param {Entry} entry @param {Inspection} [inspection] */
function needsOfGraphics(entry, inspection) {
  const plan = entry.manifest.plans[inspection?.tier ?? modestTier(entry)];
  return [
    ...fact('GPU memory', ...size(plan?.memory.total)),
    ...fact('Needs', ['WebGPU', ...(plan?.features ?? []).map((name) => FEATURES[name] ?? name)].join(', ')),
  ];
}

/** @param {Inspection} inspection */
function needsOfProcessor({ memoryBytes }) {
  return [...fact('Memory', `about ${formatBytes(memoryBytes)}`), ...fact('Needs', 'WebAssembly, on the processor')];
}

/**
 * @param {string} name
 * @param {...(Node | string)} value
 */
function fact(name, ...value) {
  return [element('dt', {}, name), element('dd', { class: 'numbers' }, ...value)];
}

/** @param {number | undefined} bytes */
function size(bytes) {
  if (bytes === undefined) return ['not stated'];
  return [`${formatBytes(bytes)} `, element('small', {}, formatExactBytes(bytes))];
}
