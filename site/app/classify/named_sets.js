/** Sets of labels that the visitor keeps under names of their own, to choose among. */

import { announce } from '../announcer.js';
import { button, byId, element } from '../dom.js';
import { language, text } from '../texts.js';
import { replaceLabels, sayWithWayBack } from './label_change.js';
import { writtenLabels } from './label_form.js';
import { MOST_SETS, usable } from './label_set.js';
import { forgetSet, keepLabels, keepSet, readSets } from './label_store.js';

/** @typedef {import('./label_set.js').LabelSet} LabelSet */
/** @typedef {import('./label_store.js').NamedSet} NamedSet */

const form = byId('keep-set', HTMLFormElement);
const field = byId('set-name', HTMLInputElement);
const place = byId('named-sets', HTMLElement);
const list = byId('named-sets-list', HTMLUListElement);
const order = new Intl.Collator(language, { numeric: true });

/** @type {NamedSet[]} */
let sets = [];
/** Says that other labels are there. @type {() => void} */
let onLabels = () => {};

/** @param {() => void} whenLabels other labels are there */
export async function connectNamedSets(whenLabels) {
  onLabels = whenLabels;
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void keepWritten(field.value.trim());
  });
  await show();
}

async function show() {
  sets = (await readSets()).sort((one, other) => order.compare(one.name, other.name));
  list.replaceChildren(...sets.map(row));
  place.hidden = sets.length === 0;
}

/** @param {NamedSet} set */
function row({ name, set }) {
  const choose = button(name, () => chooseSet(name, set), { translate: 'no' });
  const remove = button('✕', () => deleteSet(name, set), { class: 'link remove', 'aria-label': text('labels.sets.delete', { name }) });
  return element('li', {}, choose, remove);
}

/** @param {string} name @param {LabelSet} set */
function chooseSet(name, set) {
  field.value = name;
  replaceLabels(set, () => {
    void keepLabels(writtenLabels());
    onLabels();
  });
}

/** @param {string} name */
async function keepWritten(name) {
  const { labels, least } = writtenLabels();
  const before = sets.find((each) => each.name === name)?.set;
  if (name === '') return ask(text('labels.sets.nameless'), field);
  if (usable(labels).length === 0) return ask(text('labels.need'), byId('add-label', HTMLButtonElement));
  if (!before && sets.length >= MOST_SETS) return ask(text('labels.sets.most', { n: MOST_SETS }), field);
  const isKept = await keepSet(name, { labels: usable(labels), least });
  if (!isKept) return ask(text('labels.sets.refused'), byId('labels-save', HTMLButtonElement));
  await show();
  if (!before) return sayWithWayBack(text('labels.sets.kept', { name }));
  sayWithWayBack(text('labels.sets.changed', { name }), text('labels.sets.asBefore'), () => putBack(name, before));
}

/** @param {string} name @param {LabelSet} set */
async function deleteSet(name, set) {
  const at = sets.findIndex((each) => each.name === name);
  await forgetSet(name);
  await show();
  (list.children[Math.min(at, sets.length - 1)]?.querySelector('button') ?? field).focus();
  sayWithWayBack(text('labels.sets.deleted', { name }), text('labels.sets.bringBack'), () => putBack(name, set));
}

/** @param {string} name @param {LabelSet} set */
async function putBack(name, set) {
  await keepSet(name, set);
  await show();
  announce(text('labels.sets.isBack', { name }));
  list.children[sets.findIndex((each) => each.name === name)]?.querySelector('button')?.focus();
}

/** @param {string} what @param {HTMLElement} next where that is done */
function ask(what, next) {
  sayWithWayBack(what);
  next.focus();
}
