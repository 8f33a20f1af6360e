/** The form of a page on which a model writes: start, stop and copy, the hint, the speed, and what goes wrong. */

import { announce } from './announcer.js';
import { byId } from './dom.js';
import { SpeedMeter } from './speed_meter.js';
import { text as say } from './texts.js';

/**
 * @typedef {import('../engine/index.js').Model} Model
 *
 * @typedef {'done' | 'stopped' | 'failed'} Ending `stopped` by the visitor
 *
 * @typedef {object} View where the text goes
 * @property {string} text all that was written
 * @property {(text: string) => void} append
 * @property {(ending: Ending) => void} finish
 * @property {() => void} clear
 */

const SPEED_MS = 250;
const HAS_KEYBOARD = matchMedia('(pointer: fine)');

const form = byId('ask', HTMLFormElement);
const hint = byId('hint', HTMLElement);
const go = byId('go', HTMLButtonElement);
const stop = byId('stop', HTMLButtonElement);
const copy = byId('copy', HTMLButtonElement);
const speed = byId('speed', HTMLElement);
export const trouble = byId('trouble', HTMLElement);

/**
 * @param {HTMLTextAreaElement} field where Ctrl and Enter start the writing
 * @param {object} hooks
 * @param {() => void} hooks.onStart
 * @param {() => void} hooks.onStop
 * @param {() => string} hooks.textToCopy
 */
export function connectWriting(field, { onStart, onStop, textToCopy }) {
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (!go.hidden) onStart();
  });
  field.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit(go);
  });
  stop.addEventListener('click', onStop);
  const label = copy.textContent;
  copy.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(textToCopy());
      announce(say('copied'));
      copy.textContent = say('copied');
      setTimeout(() => (copy.textContent = label), 2000);
    } catch {
      announce(say('copy.refused'));
    }
  });
}

/** @param {boolean} possible */
export function allowStart(possible) {
  go.disabled = !possible;
}

/** How to start from the keyboard, where there is one. @param {string} [before] what to say first */
export function showHint(before = '') {
  hint.textContent = HAS_KEYBOARD.matches ? `${before} ${say('start.keys')}`.trim() : before;
}

/** Says what is missing or in the way. @param {string} what */
export function sayInstead(what) {
  hint.textContent = what;
  announce(what);
}

/** What an earlier attempt has left goes. @param {View} view */
export function clearWriting(view) {
  trouble.replaceChildren();
  view.clear();
  copy.hidden = true;
  speed.textContent = '';
}

/**
 * Lets the model write into the view.
 * @param {Model} model
 * @param {Parameters<Model['generate']>[0]} prompt
 * @param {Record<string, number>} options
 * @param {View} view
 * @param {AbortSignal} signal
 */
export async function write(model, prompt, options, view, signal) {
  const meter = new SpeedMeter();
  const clock = setInterval(() => (speed.textContent = meter.summary), SPEED_MS);
  /** @type {Ending} */
  let ending = 'failed';
  let remark = '';
  showHint();
  trouble.replaceChildren();
  showBusy(true);
  try {
    for await (const { text } of model.generate(prompt, { ...options, signal })) {
      meter.count();
      view.append(text);
    }
    ending = 'done';
    if (model.stats().generation?.finish === 'length') remark = ` · ${say('speed.limit')}`;
  } finally {
    clearInterval(clock);
    if (signal.aborted) ending = 'stopped';
    view.finish(ending);
    showBusy(false);
    copy.hidden = view.text === '';
    if (signal.aborted) remark = ` · ${say('speed.stopped')}`;
    speed.textContent = view.text === '' ? '' : `${meter.summary}${remark}`;
  }
}

/** Stop takes the place of the start while text comes, and the focus with it. @param {boolean} busy */
function showBusy(busy) {
  const focused = document.activeElement === (busy ? go : stop);
  go.hidden = busy;
  stop.hidden = !busy;
  copy.hidden = true;
  if (focused) (busy ? stop : go).focus();
}
