/**
 * The pages' words in the visitor's language: a file of those that pages share, and one of the page's own where <html> names
 * it. A text is a string with `{names}`, or one for each plural category of the language, chosen by the value `n`.
 */

/** @typedef {import('./texts/key.js').Key} Key */
/** @typedef {Record<string, string | Record<string, string>>} Texts */
/** @typedef {Record<string, Node | string | number>} Values */

const root = document.documentElement;
/** What `data-text-…` fills beside the text of an element. */
const ATTRIBUTES = ['aria-label', 'placeholder', 'content'];

const WORDLESS = 'A file of this site with the words of this page could not be read. Reload the page.';

const texts = await fetchTexts(root.lang).catch(fetchEnglish);
const number = new Intl.NumberFormat(root.lang, { maximumSignificantDigits: 15 });
const plural = new Intl.PluralRules(root.lang);
fillPage();

/** BCP 47 */
export const language = root.lang;

/** @param {string} tag @returns {Promise<Texts>} */
async function fetchTexts(tag) {
  const { texts: own } = root.dataset;
  const files = own === undefined ? [tag] : [tag, `${own}/${tag}`];
  return Object.assign({}, ...(await Promise.all(files.map(fetchFile))));
}

/** @param {string} name @returns {Promise<Texts>} */
async function fetchFile(name) {
  const response = await fetch(new URL(`./texts/${name}.json`, import.meta.url));
  if (!response.ok) throw new Error(`the server answered ${response.status} for the texts ${name}`);
  return response.json();
}

/** The page's own HTML is English, and says so where no file of texts can be had. */
async function fetchEnglish() {
  root.lang = 'en';
  try {
    return await fetchTexts('en');
  } catch (error) {
    root.removeAttribute('data-waiting');
    const notice = Object.assign(document.createElement('p'), { className: 'notice', textContent: WORDLESS });
    document.getElementById('main')?.prepend(notice);
    throw error;
  }
}

/** Puts the words into the page's own HTML, and shows it. */
function fillPage() {
  for (const { element, key } of marked('data-text')) element.textContent = text(key);
  for (const name of ATTRIBUTES) {
    for (const { element, key } of marked(`data-text-${name}`)) element.setAttribute(name, text(key));
  }
  root.removeAttribute('data-waiting');
}

/** @param {string} name of an attribute that holds a key */
function marked(name) {
  return [...document.querySelectorAll(`[${name}]`)].map((element) => ({
    element,
    key: /** @type {Key} */ (element.getAttribute(name)),
  }));
}

/** @param {string} key @returns {key is Key} */
export function hasText(key) {
  return Object.hasOwn(texts, key);
}

/**
 * @param {Key} key
 * @param {Record<string, string | number>} [values] numbers are written as the language writes them
 */
export function text(key, values) {
  return textParts(key, values).join('');
}

/**
 * The same in parts, for a text with elements among its values.
 * @param {Key} key
 * @param {Values} [values]
 */
export function textParts(key, values = {}) {
  const parts = phrase(key, values.n).split(/\{(\w+)\}/);
  return parts.map((part, i) => (i % 2 === 0 ? part : shown(values[part])));
}

/**
 * @param {Key} key
 * @param {unknown} n
 */
function phrase(key, n) {
  const found = texts[key] ?? key;
  if (typeof found === 'string') return found;
  return found[plural.select(rounded(Number(n)))] ?? found.other;
}

/** @param {Node | string | number | undefined} value */
function shown(value) {
  return typeof value === 'number' ? number.format(rounded(value)) : (value ?? '');
}

/** Three digits of what is not whole: the number that is shown is also the one that the plural follows. @param {number} value */
function rounded(value) {
  return Number.isInteger(value) ? value : Number(value.toPrecision(3));
}
