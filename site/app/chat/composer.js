/** Where the visitor writes: Enter sends, Shift and Enter begin a new line; Stop takes the place of Send while an answer comes. */

import { byId, whenRestored } from '../dom.js';

const MOST_LINES_PX = 240;

const form = byId('ask', HTMLFormElement);
const field = byId('prompt', HTMLTextAreaElement);
const go = byId('go', HTMLButtonElement);
const stop = byId('stop', HTMLButtonElement);

/**
 * @param {object} hooks
 * @param {(content: string) => void} hooks.onSend
 * @param {() => void} hooks.onStop
 */
export function connectComposer({ onSend, onStop }) {
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const content = field.value;
    if (go.hidden || go.disabled || content.trim() === '') return field.focus();
    field.value = '';
    fit();
    onSend(content);
  });
  field.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit(go);
  });
  field.addEventListener('input', fit);
  whenRestored(fit);
  stop.addEventListener('click', onStop);
}

/** As many lines as are written, up to a few. */
function fit() {
  field.style.height = 'auto';
  field.style.height = `${Math.min(MOST_LINES_PX, field.scrollHeight + 2)}px`;
}

/** @param {boolean} possible */
export function allowSending(possible) {
  go.disabled = !possible;
}

/** @param {boolean} busy */
export function showBusy(busy) {
  const focused = document.activeElement === (busy ? go : stop);
  go.hidden = busy;
  stop.hidden = !busy;
  if (focused) (busy ? stop : field).focus();
}

export function focusComposer() {
  field.focus();
}
