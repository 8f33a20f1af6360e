/** What a visitor should know about a model before downloading it. */

import { purposeOf } from './catalogue.js';
import { element } from './dom.js';
import { formatBytes, formatCompact, formatCount, formatExactBytes, formatLanguage } from './format.js';

/** @typedef {import('./catalogue.js').Entry} Entry */

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
 * What a first visit downloads.
 * @param {Entry} entry
 * @param {string} tier
 * @returns {number | undefined} bytes
 */
export function downloadOf({ manifest }, tier) {
  return manifest.transferBytes?.[tier] ?? manifest.downloadBytes[tier];
}

/**
 * Whether earlier visits have left the whole model on this device.
 * @param {import('../engine/index.js').Inspection} inspection
 */
export function isKept({ cachedBytes, downloadBytes }) {
  return cachedBytes >= downloadBytes;
}

/**
 * @param {Entry} entry
 * @param {import('../engine/index.js').Inspection} [inspection] of this device, once it is known
 */
export function factsList(entry, inspection) {
  const tier = inspection?.tier ?? modestTier(entry);
  const { manifest } = entry;
  const plan = manifest.plans[tier];
  return element(
    'dl',
    { class: 'facts' },
    ...fact('Download', ...(inspection && isKept(inspection) ? ['already here'] : size(downloadOf(entry, tier)))),
    ...fact('GPU memory', ...size(plan?.memory.total)),
    ...fact('Needs', ['WebGPU', ...(plan?.features ?? []).map((name) => FEATURES[name] ?? name)].join(', ')),
    ...fact(
      'Size',
      `${formatCompact(manifest.parameters)} parameters, ${weightsOf(manifest)}`,
    ),
    ...fact('Reads', `up to ${formatCount(manifest.context, 'token')}`),
    ...fact('Languages', manifest.languages.map(formatLanguage).join(', ') || 'not stated'),
    ...fact('Licence', manifest.license ?? 'not stated'),
  );
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
