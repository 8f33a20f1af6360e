/** The Generate page: a model, a prompt, and the text that it writes. */

import { announce } from './announcer.js';
import { AnswerView } from './answer_view.js';
import { pageFor } from './catalogue.js';
import { showDeviceNotice } from './device_notice.js';
import { byId, element } from './dom.js';
import { latest } from './latest.js';
import { mountModel } from './model_choice.js';
import { takesModelDown } from './error_code.js';
import { problemPanel } from './problem_panel.js';
import { connectSampling, limitSampling, readSampling, showDefaults } from './sampling_form.js';
import { SpeedMeter } from './speed_meter.js';

/** @typedef {import('../engine/index.js').Model} Model */

const SPEED_MS = 250;
const HAS_KEYBOARD = matchMedia('(pointer: fine)');

const form = byId('ask', HTMLFormElement);
const prompt = byId('prompt', HTMLTextAreaElement);
const mode = byId('mode', HTMLElement);
const hint = byId('hint', HTMLElement);
const go = byId('go', HTMLButtonElement);
const stop = byId('stop', HTMLButtonElement);
const copy = byId('copy', HTMLButtonElement);
const trouble = byId('trouble', HTMLElement);
const speed = byId('speed', HTMLElement);
const view = new AnswerView(byId('answer', HTMLElement));

/** @type {Model | null} */
let model = null;
const writing = latest(write, showTrouble);

/** @param {AbortSignal} signal */
async function write(signal) {
  if (model === null) return;
  if (prompt.value.trim() === '') return askForPrompt();
  const meter = new SpeedMeter();
  const clock = setInterval(() => (speed.textContent = meter.summary), SPEED_MS);
  let ending = '';
  showHint();
  showBusy(true);
  view.start();
  try {
    await stream(model, meter, signal);
    if (model?.stats().generation?.finish === 'length') ending = ' · token limit';
  } finally {
    clearInterval(clock);
    view.finish();
    showBusy(false);
    if (signal.aborted) ending = ' · stopped';
    speed.textContent = view.text === '' ? '' : `${meter.summary}${ending}`;
  }
}

function askForPrompt() {
  clearTrouble();
  hint.textContent = 'Write a prompt first.';
  announce(hint.textContent);
  prompt.focus();
}

/** What a failed attempt has left goes when the visitor changes the prompt. */
function clearTrouble() {
  if (!trouble.hasChildNodes()) return;
  trouble.replaceChildren();
  view.clear();
  copy.hidden = true;
  speed.textContent = '';
}

function showHint() {
  hint.textContent = HAS_KEYBOARD.matches ? 'Ctrl and Enter start it from the keyboard.' : '';
}

/** How a model that picks fields out of messages wants to be asked. @param {import('./catalogue.js').Entry} entry */
function showForm(entry) {
  const fields = Object.values(entry.manifest.extraction ?? {})[0] ?? [];
  prompt.placeholder = `${fields.join(', ')}\nThe message that they stand in`;
  byId('form-note', HTMLElement).replaceChildren(
    'This model picks fields out of a message: name them in the first line. ',
    element('a', { href: pageFor(entry) ?? '' }, 'The Extract page'),
    ' does that for you.',
  );
}

/**
 * @param {Model} writer
 * @param {SpeedMeter} meter
 * @param {AbortSignal} signal
 */
async function stream(writer, meter, signal) {
  for await (const { text } of writer.generate(input(), { ...readSampling(), signal })) {
    meter.count();
    view.append(text);
  }
}

/** The prompt as it is, or as the first message of a conversation. */
function input() {
  const asMessage =
    !mode.hidden && document.querySelector('input[name="mode"]:checked')?.getAttribute('value') === 'chat';
  return asMessage ? [{ role: 'user', content: prompt.value }] : prompt.value;
}

/** Stop takes the place of Generate while text comes, and the focus with it. @param {boolean} busy */
function showBusy(busy) {
  const focused = document.activeElement === (busy ? go : stop);
  trouble.replaceChildren();
  go.hidden = busy;
  stop.hidden = !busy;
  copy.hidden = busy || view.text === '';
  if (focused) (busy ? stop : go).focus();
}

/** @param {unknown} error */
async function showTrouble(error) {
  if (takesModelDown(error)) return (await mounted)?.panel.fail(error);
  trouble.replaceChildren(problemPanel(error, () => writing.start()));
}

async function copyText() {
  await navigator.clipboard.writeText(view.text);
  announce('Copied.');
  copy.textContent = 'Copied';
  setTimeout(() => (copy.textContent = 'Copy'), 2000);
}

/** @param {Model} loaded */
function onReady(loaded) {
  model = loaded;
  go.disabled = false;
  mode.hidden = !loaded.info.chat;
  limitSampling(loaded.info.context);
  if (loaded.info.generation) showDefaults(loaded.info.generation);
  showHint();
  prompt.focus();
}

function onGone() {
  model = null;
  writing.abort();
  go.disabled = true;
  onOffer(null);
}

/** @param {string | null} obstacle */
function onOffer(obstacle) {
  hint.textContent = obstacle ?? 'Load the model first.';
}

function connectControls() {
  connectSampling();
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (!go.hidden) void writing.start();
  });
  prompt.addEventListener('input', () => {
    clearTrouble();
    if (model !== null) showHint();
  });
  prompt.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit(go);
  });
  stop.addEventListener('click', writing.abort);
  copy.addEventListener('click', () => void copyText().catch(() => announce('The browser did not allow copying.')));
}

async function showModel() {
  const mounted = await mountModel(byId('model', HTMLElement), 'text-generation', { onReady, onGone, onOffer });
  byId('writing', HTMLElement).hidden = mounted === null;
  if (mounted?.entry.manifest.extraction) showForm(mounted.entry);
  return mounted;
}

showDeviceNotice();
connectControls();
const mounted = showModel();
