/** The choice of the kind of message, of the fields that are wanted, and of a message to try. */

import { button, byId, element } from './dom.js';
import { colorOf, inWords } from './marked_message.js';
import { language as pageLanguage, text } from './texts.js';

/**
 * @typedef {object} Samples
 * @property {Record<string, string>} languages tag to the language's own name
 * @property {Record<string, Record<string, string>>} kinds kind to language to message
 */

const kinds = byId('kinds', HTMLElement);
const fields = byId('fields', HTMLElement);
const samples = byId('samples', HTMLElement);
const message = byId('message', HTMLTextAreaElement);

/** @type {Record<string, string[]>} */
let known = {};
/** @type {Samples} */
let offered = { languages: {}, kinds: {} };
let language = pageLanguage;

/**
 * @param {Record<string, string[]>} extraction kinds and their fields, as the model states them
 * @param {() => void} onChange of the kind
 */
export function showKinds(extraction, onChange) {
  known = extraction;
  const names = Object.keys(extraction);
  const before = names.indexOf(history.state?.kind);
  kinds.append(...names.map((kind, i) => choice('radio', kind, 'kind', i === Math.max(before, 0))));
  kinds.addEventListener('change', () => {
    history.replaceState({ kind: chosenKind() }, '');
    showFields();
    onChange();
  });
  showFields();
}

/** @param {unknown} given samples, as the site has them */
export function showSamples(given) {
  offered = /** @type {Samples} */ (given);
  showFields();
}

/** @returns {string[]} the fields that are switched on, in the model's order */
export function wantedFields() {
  return [...fields.querySelectorAll('input:checked')].map((field) => /** @type {HTMLInputElement} */ (field).value);
}

/** @returns {string[]} all fields of the chosen kind, in the model's order */
export function offeredFields() {
  return known[chosenKind()] ?? [];
}

export function focusFields() {
  fields.querySelector('input')?.focus();
}

function chosenKind() {
  return /** @type {HTMLInputElement | null} */ (kinds.querySelector('input:checked'))?.value ?? '';
}

/** The fields of the chosen kind, and its sample where the visitor has no message yet. */
function showFields() {
  fields.replaceChildren(
    element('legend', {}, text('extract.fields')),
    ...offeredFields().map((field, i) => choice('checkbox', field, 'field', true, colorOf(i))),
  );
  const texts = offered.kinds[chosenKind()] ?? {};
  samples.replaceChildren(
    ...Object.keys(texts).map((tag) => button(offered.languages[tag] ?? tag, () => trySample(tag), { lang: tag, class: 'quiet' })),
  );
  if (isUntouched()) message.value = texts[language] ?? '';
}

/** @param {string} tag */
function trySample(tag) {
  language = tag;
  message.value = offered.kinds[chosenKind()]?.[tag] ?? '';
  message.dispatchEvent(new Event('input'));
  message.focus();
}

/** Whether the message is none of the visitor's own. */
function isUntouched() {
  const text = message.value.trim();
  return text === '' || Object.values(offered.kinds).some((texts) => Object.values(texts).includes(text));
}

/**
 * @param {'radio' | 'checkbox'} type
 * @param {string} value
 * @param {string} name
 * @param {boolean} checked
 * @param {string} [color]
 */
function choice(type, value, name, checked, color) {
  // Of no form: the browser brings a message back only into a form that has the named boxes it had, and these come late.
  const box = element('input', { type, name, value, checked, form: '' });
  const swatch = color === undefined ? [] : [element('span', { class: `swatch ${color}`, 'aria-hidden': 'true' })];
  return element('label', { class: 'choice chip' }, box, ...swatch, element('span', {}, inWords(value)));
}
