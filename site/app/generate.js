/** The Generate page: a model, a prompt, and the text that it writes. */

import { AnswerView } from './answer_view.js';
import { pageFor } from './catalogue.js';
import { showDeviceNotice } from './device_notice.js';
import { byId, element } from './dom.js';
import { latest } from './latest.js';
import { mountModel } from './model_choice.js';
import { takesModelDown } from './error_code.js';
import { problemPanel } from './problem_panel.js';
import { connectSampling, limitSampling, readSampling, showDefaults } from './sampling_form.js';
import { text, textParts } from './texts.js';
import { allowStart, clearWriting, connectWriting, sayInstead, showHint, trouble, write } from './writing_form.js';

/** @typedef {import('../engine/index.js').Model} Model */

const prompt = byId('prompt', HTMLTextAreaElement);
const mode = byId('mode', HTMLElement);
const view = new AnswerView(byId('answer', HTMLElement), byId('plain', HTMLInputElement));

/** @type {Model | null} */
let model = null;
const writing = latest(generate, showTrouble);

/** @param {AbortSignal} signal */
async function generate(signal) {
  if (model === null) return;
  if (prompt.value.trim() === '') return askForPrompt();
  const asked = input();
  view.start(typeof asked !== 'string');
  await write(model, asked, readSampling(), view, signal);
}

function askForPrompt() {
  clearTrouble();
  sayInstead(text('generate.noPrompt'));
  prompt.focus();
}

/** What a failed attempt has left goes when the visitor changes the prompt. */
function clearTrouble() {
  if (trouble.hasChildNodes()) clearWriting(view);
}

/** How a model that picks fields out of messages wants to be asked. @param {import('./catalogue.js').Entry} entry */
function showForm(entry) {
  const fields = Object.values(entry.manifest.extraction ?? {})[0] ?? [];
  prompt.placeholder = `${fields.join(', ')}\n${text('generate.fields.message')}`;
  const page = element('a', { href: pageFor(entry) ?? '' }, text('generate.fields.page'));
  byId('form-note', HTMLElement).replaceChildren(...textParts('generate.fields', { page }));
}

/** The prompt as it is, or as the first message of a conversation. */
function input() {
  const asMessage =
    !mode.hidden && document.querySelector('input[name="mode"]:checked')?.getAttribute('value') === 'chat';
  return asMessage ? [{ role: 'user', content: prompt.value }] : prompt.value;
}

/** @param {unknown} error */
async function showTrouble(error) {
  if (takesModelDown(error)) return (await mounted)?.panel.fail(error);
  trouble.replaceChildren(problemPanel(error, () => writing.start()));
}

/** @param {Model} loaded */
function onReady(loaded) {
  model = loaded;
  allowStart(true);
  mode.hidden = !loaded.info.chat;
  limitSampling(loaded.info.context);
  if (loaded.info.generation) showDefaults(loaded.info.generation);
  showHint();
  prompt.focus();
}

function onGone() {
  model = null;
  writing.abort();
  allowStart(false);
  onOffer(null);
}

/** @param {string | null} obstacle */
function onOffer(obstacle) {
  byId('hint', HTMLElement).textContent = obstacle ?? text('load.first');
}

function connectControls() {
  connectSampling();
  connectWriting(prompt, {
    onStart: () => void writing.start(),
    onStop: writing.abort,
    textToCopy: () => view.text,
  });
  prompt.addEventListener('input', () => {
    clearTrouble();
    if (model !== null) showHint();
  });
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
