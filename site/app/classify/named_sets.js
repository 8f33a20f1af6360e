/** Sets of labels that the visitor keeps under names of their own, to choose among. */

import { announce } from '../announcer.js';
import { button, byId, element } from '../dom.js';
import { text } from '../texts.js';
import { replaceLabels, sayWithWayBack } from './label_change.js';
import { writtenLabels } from './label_form.js';
import { usable } from './label_set.js';
import { keepLabels } from './label_store.js';
import { forgetSet, keepSet, readSets } from './named_set_store.js';

/** @typedef {import('./label_set.js').LabelSet} LabelSet */

const field = byId('set-name', HTMLInputElement);
const list = byId('named-sets', HTMLUListElement);

/** By their names. @type {Map<string, LabelSet>} */
let sets = new Map();
/** Says that other labels are there. @type {() => void} */
let onLabels = () => {};

/** @param {() => void} whenLabels other labels are there */
export async function connectNamedSets(whenLabels) {
  onLabels = whenLabels;
  byId('keep-set', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    void keepWritten(field.value.trim());
  });
  await show();
}

/** @param {string} [name] of the set that takes the focus */
async function show(name) {
  sets = await readSets();
  list.replaceChildren(...[...sets].map(row));
  list.children[[...sets.keys()].indexOf(name ?? '')]?.querySelector('button')?.focus();
}

/** @param {[string, LabelSet]} set */
function row([name, set]) {
  const choose = button(name, () => chooseSet(name, set), { class: 'quiet', translate: 'no' });
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
  const before = sets.get(name);
  if (name === '') return field.focus();
  if (usable(labels).length === 0) return sayWithWayBack(text('labels.need'));
  if (!(await keepSet(name, { labels: usable(labels), least }))) return sayWithWayBack(text('labels.sets.refused'));
  await show();
  if (!before) return sayWithWayBack(text('labels.sets.kept', { name }));
  sayWithWayBack(text('labels.sets.changed', { name }), text('labels.sets.asBefore'), () => putBack(name, before));
}

/** @param {string} name @param {LabelSet} set */
async function deleteSet(name, set) {
  await forgetSet(name);
  await show();
  field.focus();
  sayWithWayBack(text('labels.sets.deleted', { name }), text('labels.sets.bringBack'), () => putBack(name, set));
}

/** @param {string} name @param {LabelSet} set */
async function putBack(name, set) {
  await keepSet(name, set);
  await show(name);
  announce(text('labels.sets.isBack', { name }));
}
