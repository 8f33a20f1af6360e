/** The Extract page: a message goes in, the fields that it holds come out. */

import { announce } from './announcer.js';
import { fetchJson } from './catalogue.js';
import { showDeviceNotice } from './device_notice.js';
import { byId, element } from './dom.js';
import { takesModelDown } from './error_code.js';
import { ExtractionView } from './extraction_view.js';
import { focusFields, showKinds, showSamples, wantedFields } from './kind_form.js';
import { latest } from './latest.js';
import { mountModel } from './model_choice.js';
import { problemPanel } from './problem_panel.js';
import { SpeedMeter } from './speed_meter.js';

/** @typedef {import('../engine/index.js').Model} Model */

const SPEED_MS = 250;
const MOST_TOKENS = 512;
const SAMPLES_URL = 'passages/messages.json';
const HAS_KEYBOARD = matchMedia('(pointer: fine)');

const form = byId('ask', HTMLFormElement);
const message = byId('message', HTMLTextAreaElement);
const hint = byId('hint', HTMLElement);
const go = byId('go', HTMLButtonElement);
const stop = byId('stop', HTMLButtonElement);
const copy = byId('copy', HTMLButtonElement);
const trouble = byId('trouble', HTMLElement);
const speed = byId('speed', HTMLElement);
const view = new ExtractionView(byId('found', HTMLElement), byId('marked', HTMLElement));

/** @type {Model | null} */
let model = null;
/** Whether the visitor has pressed Extract and waits for the model. */
let pressed = false;
const extracting = latest(extract, showTrouble);

/** The first press loads the model. */
async function press() {
  if (message.value.trim() === '') return askFor('Paste a message first.', () => message.focus());
  if (wantedFields().length === 0) return askFor('Switch a field on first.', focusFields);
  if (model !== null) return extracting.start();
  pressed = true;
  hint.textContent = 'The model is being loaded; then the fields come by themselves.';
  announce(hint.textContent);
  await (await mounted)?.panel.load();
  if (model === null && !go.disabled) showHint();
  pressed = false;
}

/** @param {AbortSignal} signal */
async function extract(signal) {
  if (model === null) return;
  const text = message.value.trim();
  const fields = wantedFields();
  const meter = new SpeedMeter();
  const clock = setInterval(() => (speed.textContent = meter.summary), SPEED_MS);
  showHint();
  showBusy(true);
  view.start(text, fields);
  try {
    await stream(model, `${fields.join(', ')}\n${text}`, meter, signal);
    if (!view.complete) showUnfinished();
  } finally {
    clearInterval(clock);
    view.finish(signal.aborted);
    showBusy(false);
    speed.textContent = view.written === '' ? '' : `${meter.summary}${ending(signal)}`;
  }
}

/**
 * @param {Model} writer
 * @param {string} content
 * @param {SpeedMeter} meter
 * @param {AbortSignal} signal
 */
async function stream(writer, content, meter, signal) {
  const options = { temperature: 0, maxTokens: MOST_TOKENS, signal };
  for await (const { text } of writer.generate([{ role: 'user', content }], options)) {
    meter.count();
    view.append(text);
  }
}

/** @param {AbortSignal} signal */
function ending(signal) {
  if (signal.aborted) return ' · stopped';
  return model?.stats().generation?.finish === 'length' ? ' · token limit' : '';
}

/** The model's answer is not what was agreed upon; what it wrote is there to be looked at. */
function showUnfinished() {
  const what = 'The model did not write its answer to the end, or not as JSON; the fields are what could be read of it.';
  trouble.replaceChildren(
    element(
      'section',
      { class: 'notice', role: 'alert' },
      element('p', {}, what),
      element('pre', { tabindex: '0', 'aria-label': 'What the model wrote' }, view.written),
    ),
  );
}

/**
 * @param {string} what
 * @param {() => void} focus
 */
function askFor(what, focus) {
  clearAnswer();
  hint.textContent = what;
  announce(what);
  focus();
}

function clearAnswer() {
  extracting.abort();
  trouble.replaceChildren();
  view.clear();
  copy.hidden = true;
  speed.textContent = '';
}

function showHint() {
  const keys = HAS_KEYBOARD.matches ? 'Ctrl and Enter start it from the keyboard.' : '';
  hint.textContent = model === null ? `The first press loads the model. ${keys}` : keys;
}

/** Stop takes the place of Extract while fields come, and the focus with it. @param {boolean} busy */
function showBusy(busy) {
  const focused = document.activeElement === (busy ? go : stop);
  if (busy) trouble.replaceChildren();
  go.hidden = busy;
  stop.hidden = !busy;
  copy.hidden = busy || view.written === '';
  if (focused) (busy ? stop : go).focus();
}

/** @param {unknown} error */
async function showTrouble(error) {
  if (takesModelDown(error)) return (await mounted)?.panel.fail(error);
  trouble.replaceChildren(problemPanel(error, () => extracting.start()));
}

async function copyJson() {
  await navigator.clipboard.writeText(view.json);
  announce('Copied.');
  copy.textContent = 'Copied';
  setTimeout(() => (copy.textContent = 'Copy JSON'), 2000);
}

/** @param {Model} loaded */
function onReady(loaded) {
  model = loaded;
  showHint();
  if (pressed) void extracting.start();
  else message.focus();
}

function onGone() {
  model = null;
  extracting.abort();
}

/** @param {string | null} obstacle */
function onOffer(obstacle) {
  go.disabled = obstacle !== null;
  if (obstacle === null) showHint();
  else hint.textContent = obstacle;
}

function connectControls() {
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (!go.hidden) void press();
  });
  message.addEventListener('input', () => {
    if (trouble.hasChildNodes()) clearAnswer();
    if (!go.disabled && !pressed) showHint();
  });
  message.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit(go);
  });
  stop.addEventListener('click', extracting.abort);
  copy.addEventListener('click', () => void copyJson().catch(() => announce('The browser did not allow copying.')));
}

async function showModel() {
  const mounted = await mountModel(byId('model', HTMLElement), 'extraction', { onReady, onGone, onOffer });
  byId('extracting', HTMLElement).hidden = mounted === null;
  if (mounted === null) return null;
  showKinds(mounted.entry.manifest.extraction ?? {}, clearAnswer);
  await fetchJson(SAMPLES_URL).then(
    (samples) => showSamples(/** @type {import('./kind_form.js').Samples} */ (samples)),
    (error) => trouble.replaceChildren(problemPanel(error, () => location.reload())),
  );
  return mounted;
}

showDeviceNotice();
connectControls();
const mounted = showModel();
