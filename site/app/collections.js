/** The texts that can be searched: two that come with the site, and the visitor's own. */

import { fetchJson, SiteError } from './catalogue.js';
import { splitText } from './splitting.js';
import { text as say } from './texts.js';

/**
 * @typedef {object} Passage
 * @property {string} text
 * @property {string} source where it comes from, for people
 * @property {string} lang BCP 47, empty where unknown
 *
 * @typedef {object} Collection
 * @property {string} title
 * @property {string} about
 * @property {string[]} examples questions to try, in English
 * @property {Passage[]} passages
 */

/** What each is about. */
const SITE_COLLECTIONS = /** @type {const} */ ({ facts: 'search.about.facts', docs: 'search.about.docs' });
export const MOST_PASSAGES = 10_000;

/** What has arrived stays, so that no network is needed to come back to it. @type {Map<string, Collection>} */
const arrived = new Map();

/** @typedef {keyof typeof SITE_COLLECTIONS} Name of a collection that comes with the site */

/** @param {Name} name */
export async function openCollection(name) {
  const collection = arrived.get(name) ?? (await fetchCollection(name));
  arrived.set(name, collection);
  return collection;
}

/** Fetches all that come with the site; one that fails is asked for again when it is opened. */
export async function fetchAhead() {
  await Promise.allSettled(Object.keys(SITE_COLLECTIONS).map((name) => openCollection(/** @type {Name} */ (name))));
}

/**
 * @param {Name} name
 * @returns {Promise<Collection>}
 */
async function fetchCollection(name) {
  const url = `passages/${name}.json`;
  const collection = /** @type {Partial<Collection> | null} */ (await fetchJson(url));
  if (!Array.isArray(collection?.passages)) throw new SiteError('SITE_FILE_INVALID', say('site.noPassages', { url }));
  return { .../** @type {Collection} */ (collection), about: say(SITE_COLLECTIONS[name]) };
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
    const what = say('site.tooMany', { n: passages.length, limit: MOST_PASSAGES });
    throw new SiteError('TEXT_TOO_LARGE', what);
  }
  return { title, about: '', examples: [], passages };
}
