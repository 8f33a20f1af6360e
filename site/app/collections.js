/** The texts that can be searched: two that come with the site, and the visitor's own. */

import { fetchJson, SiteError } from './catalogue.js';
import { formatCount } from './format.js';
import { splitText } from './splitting.js';

/**
 * @typedef {object} Passage
 * @property {string} text
 * @property {string} source where it comes from, for people
 * @property {string} lang BCP 47, empty where unknown
 *
 * @typedef {object} Collection
 * @property {string} title
 * @property {string} about
 * @property {string[]} examples questions to try
 * @property {Passage[]} passages
 */

const SITE_COLLECTIONS = ['facts', 'docs'];
export const MOST_PASSAGES = 10_000;
const MOST_FILE_BYTES = 4e6;

/** What has arrived stays, so that no network is needed to come back to it. @type {Map<string, Collection>} */
const arrived = new Map();

/** @param {string} name of a collection that comes with the site */
export async function openCollection(name) {
  const collection = arrived.get(name) ?? (await fetchCollection(name));
  arrived.set(name, collection);
  return collection;
}

/** Fetches all that come with the site; one that fails is asked for again when it is opened. */
export async function fetchAhead() {
  await Promise.allSettled(SITE_COLLECTIONS.map(openCollection));
}

/**
 * @param {string} name
 * @returns {Promise<Collection>}
 */
async function fetchCollection(name) {
  const url = `passages/${name}.json`;
  const collection = /** @type {Partial<Collection> | null} */ (await fetchJson(url));
  if (!Array.isArray(collection?.passages)) throw new SiteError('SITE_FILE_INVALID', `${url} holds no passages.`);
  return /** @type {Collection} */ (collection);
}

/**
 * @param {string} text
 * @param {string} title
 * @returns {Collection}
 * @throws {SiteError} TEXT_TOO_LARGE
 */
export function ownCollection(text, title) {
  const passages = splitText(text, title);
  if (passages.length > MOST_PASSAGES) {
    const limit = formatCount(MOST_PASSAGES, 'passage');
    throw new SiteError(
      'TEXT_TOO_LARGE',
      `The text has ${formatCount(passages.length, 'passage')}; the limit is ${limit}.`,
    );
  }
  return { title, about: '', examples: [], passages };
}

/**
 * @param {File[]} files
 * @returns {Promise<string[]>}
 * @throws {SiteError} TEXT_TOO_LARGE, TEXT_UNREADABLE
 */
export async function readTextFiles(files) {
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  const names = files.map(({ name }) => name).join(', ');
  if (bytes > MOST_FILE_BYTES)
    throw new SiteError('TEXT_TOO_LARGE', `${names}: ${bytes} bytes; the limit is ${MOST_FILE_BYTES}.`);
  return Promise.all(files.map(readTextFile));
}

/** @param {File} file @returns {Promise<string>} */
async function readTextFile(file) {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await file.arrayBuffer());
  } catch {
    throw new SiteError('TEXT_UNREADABLE', `${file.name} is not UTF-8 text.`);
  }
}
