/** The form in which visitors write their labels: a name and examples for each, and how similar a text must be. */

import { button, byId, element, whenRestored } from '../dom.js';
import { formatHundredths } from '../format.js';
import { text } from '../texts.js';
import { examplesIn, MOST_LABELS } from './label_set.js';

/**
 * @typedef {import('./label_set.js').Label} Label
 * @typedef {import('./label_set.js').LabelSet} LabelSet
 */

const list = byId('labels', HTMLOListElement);
const add = byId('add-label', HTMLButtonElement);
const least = byId('least', HTMLInputElement);
const shownLeast = byId('least-shown', HTMLOutputElement);

/**
 * @param {object} hooks
 * @param {() => void} hooks.onLabels the labels were changed
 * @param {() => void} hooks.onLeast the least similarity was moved
 */
export function connectLabels({ onLabels, onLeast }) {
  list.addEventListener('input', ({ target }) => {
    if (target instanceof HTMLTextAreaElement) showCount(target);
    onLabels();
  });
  list.addEventListener('click', ({ target }) => {
    const removal = target instanceof Element ? target.closest('.remove') : null;
    if (removal) remove(/** @type {HTMLLIElement} */ (removal.closest('li')), onLabels);
  });
  add.addEventListener('click', () => {
    const item = labelItem({ name: '', examples: [] });
    list.append(item);
    item.querySelector('details')?.setAttribute('open', '');
    item.querySelector('input')?.focus();
    allowMore();
  });
  least.addEventListener('input', () => {
    showLeast();
    onLeast();
  });
  whenRestored(showLeast);
}

/** @param {LabelSet} set */
export function showLabels({ labels, least: wanted }) {
  list.replaceChildren(...labels.map(labelItem));
  least.value = String(wanted);
  showLeast();
  allowMore();
}

/** @returns {LabelSet} as it is written there */
export function writtenLabels() {
  const labels = [...list.children].map((item) => ({
    name: item.querySelector('input')?.value.trim() ?? '',
    examples: examplesIn(item.querySelector('textarea')?.value ?? ''),
  }));
  return { labels, least: Number(least.value) };
}

function showLeast() {
  shownLeast.textContent = formatHundredths(Number(least.value));
}

function allowMore() {
  add.disabled = list.children.length >= MOST_LABELS;
}

/**
 * @param {HTMLLIElement} item
 * @param {() => void} onLabels
 */
function remove(item, onLabels) {
  const next = item.nextElementSibling ?? item.previousElementSibling;
  item.remove();
  (next?.querySelector('input') ?? add).focus();
  allowMore();
  onLabels();
}

/** @param {Label} label */
function labelItem({ name, examples }) {
  const title = element('input', { type: 'text', maxlength: 100, autocomplete: 'off', 'aria-label': text('labels.name') });
  title.value = name;
  const area = element('textarea', { rows: 5, spellcheck: false, 'aria-label': text('labels.examples') });
  area.value = examples.join('\n');
  const removal = button('✕', () => {}, { class: 'link remove', 'aria-label': text('labels.remove') });
  const count = element('summary', {});
  const item = element(
    'li',
    {},
    element('p', { class: 'label-name' }, title, removal),
    element('details', {}, count, area),
  );
  showCount(area);
  return item;
}

/** @param {HTMLTextAreaElement} area */
function showCount(area) {
  const count = area.parentElement?.querySelector('summary');
  if (count) count.textContent = text('labels.count', { n: examplesIn(area.value).length });
}
