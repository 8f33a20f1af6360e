/** The list of models that this site offers. */

import { text } from './texts.js';

/**
 * @typedef {object} Plan
 * @property {string[]} features
 * @property {{ total: number }} memory
 *
 * @typedef {object} Entry
 * @property {string} url the artifact's folder, relative to the site
 * @property {string} [sha256] of its manifest.json, if the server says
 * @property {boolean} [reportPage] whether a whole size report lies beside the model as a page, report.html
 * @property {object} manifest
 * @property {string} manifest.name
 * @property {string} manifest.title
 * @property {string} manifest.task
 * @property {string} manifest.architecture
 * @property {string | null} manifest.license
 * @property {string[]} manifest.languages
 * @property {string} manifest.quantization
 * @property {number} manifest.parameters
 * @property {Record<string, string[]> | null} [manifest.extraction] of a model that picks fields out of messages: kind to fields
 * @property {string[] | null} [manifest.labels] of a model that classifies texts or words
 * @property {number} manifest.context
 * @property {Record<string, Plan>} manifest.plans
 * @property {Record<string, number>} manifest.downloadBytes tier to bytes, unpacked
 * @property {Record<string, number>} [manifest.transferBytes] tier to bytes as this server sends them, if it says
 */

export const CATALOGUE_URL = 'models/catalogue.json';

export class SiteError extends Error {
  /**
   * @param {string} code
   * @param {string} what
   */
  constructor(code, what) {
    super(what);
    this.code = code;
    this.what = what;
  }
}

/**
 * A JSON file of this site.
 * @param {string} url
 * @returns {Promise<unknown>}
 * @throws {SiteError} SITE_UNREACHABLE, SITE_FILE_MISSING, SITE_FILE_INVALID
 */
export async function fetchJson(url) {
  const response = await fetch(url).catch(() => {
    throw new SiteError('SITE_UNREACHABLE', text('site.noAnswer', { url }));
  });
  if (!response.ok) throw new SiteError('SITE_FILE_MISSING', text('site.status', { status: response.status, url }));
  return response.json().catch(() => {
    throw new SiteError('SITE_FILE_INVALID', text('site.notJson', { url }));
  });
}

/** @returns {Promise<Entry[]>} */
export async function fetchCatalogue() {
  const catalogue = /** @type {{ format?: unknown, version?: unknown, models?: unknown } | null} */ (
    await fetchJson(CATALOGUE_URL)
  );
  if (catalogue?.format !== 'thistledown-catalogue' || catalogue.version !== 1 || !Array.isArray(catalogue.models)) {
    throw new SiteError('SITE_FILE_INVALID', text('site.notCatalogue', { url: CATALOGUE_URL }));
  }
  return catalogue.models;
}

/** The pages for a purpose, the likeliest first. @type {Record<string, string[]>} */
const PAGES = {
  'sentence-embedding': ['search.html', 'classify.html'],
  'text-generation': ['generate.html'],
  'text-classification': ['classify.html'],
  'token-classification': ['classify.html'],
  extraction: ['extract.html'],
};

/**
 * What a model was made for: its task, unless it states fields that it extracts.
 * @param {Entry} entry
 */
export function purposeOf({ manifest }) {
  return manifest.extraction ? 'extraction' : manifest.task;
}

/**
 * The models that do what a page does, those that were made for it first: an extraction model is a generator, too.
 * @param {Entry[]} entries
 * @param {string} purpose
 */
export function modelsFor(entries, purpose) {
  const made = entries.filter((entry) => purposeOf(entry) === purpose);
  return [...made, ...entries.filter((entry) => entry.manifest.task === purpose && !made.includes(entry))];
}

/**
 * The pages that play a model, each with the model in its address.
 * @param {Entry} entry
 * @returns {{ page: string, address: string }[]} none for a task that no page knows
 */
export function pagesFor(entry) {
  const query = `?model=${encodeURIComponent(entry.url)}`;
  return (PAGES[purposeOf(entry)] ?? []).map((page) => ({ page, address: page + query }));
}

/**
 * The likeliest of them.
 * @param {Entry} entry
 * @returns {string | null}
 */
export function pageFor(entry) {
  return pagesFor(entry)[0]?.address ?? null;
}
