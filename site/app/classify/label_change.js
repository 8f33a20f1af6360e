/** Labels that take the place of others; what was there before comes back on request. */

import { announce } from '../announcer.js';
import { button, byId } from '../dom.js';
import { text } from '../texts.js';
import { showLabels, writtenLabels } from './label_form.js';

/** @typedef {import('./label_set.js').LabelSet} LabelSet */

const note = byId('labels-note', HTMLElement);
const trouble = byId('labels-trouble', HTMLElement);

/**
 * @param {LabelSet} set
 * @param {() => void} onLabels
 */
export function replaceLabels(set, onLabels) {
  const before = writtenLabels();
  showSet(set, onLabels);
  sayWithWayBack(text('labels.replaced'), text('labels.back'), () => {
    showSet(before, onLabels);
    announce(text('labels.areBack'));
    byId('add-label', HTMLButtonElement).focus();
  });
}

/**
 * @param {string} what has happened
 * @param {string} [label] of the way back
 * @param {() => void} [undo]
 */
export function sayWithWayBack(what, label, undo) {
  const goBack = () => {
    note.replaceChildren();
    undo?.();
  };
  note.replaceChildren(what, ...(label === undefined ? [] : [' ', button(label, goBack, { class: 'link' })]));
}

/**
 * @param {LabelSet} set
 * @param {() => void} onLabels
 */
function showSet(set, onLabels) {
  trouble.replaceChildren();
  showLabels(set);
  onLabels();
}
