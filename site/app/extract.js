/** The Extract page: a message goes in, the fields that it holds come out. */

import { fetchJson } from './catalogue.js';
import { showDeviceNotice } from './device_notice.js';
import { byId, element } from './dom.js';
import { takesModelDown } from './error_code.js';
import { ExtractionView } from './extraction_view.js';
import { focusFields, offeredFields, showKinds, showSamples, wantedFields } from './kind_form.js';
import { latest } from './latest.js';
import { mountModel } from './model_choice.js';
import { problemPanel } from './problem_panel.js';
import { text } from './texts.js';
import { allowStart, clearWriting, connectWriting, sayInstead, showHint, trouble, write } from './writing_form.js';

/** @typedef {import('../engine/index.js').Model} Model */

const OPTIONS = { temperature: 0, maxTokens: 512 };
const message = byId('message', HTMLTextAreaElement);
const view = new ExtractionView(byId('found', HTMLElement), byId('marked', HTMLElement));

/** @type {Model | null} */
let model = null;
/** Whether the visitor has pressed Extract and waits for the model. */
let waiting = false;
/** What keeps the model from running here. @type {string | null} */
let inTheWay = null;
const extracting = latest(extract, showTrouble);

/** The first press loads the model. */
async function press() {
  if (model !== null) return extracting.start();
  if (askForMissing()) return;
  waiting = true;
  sayInstead(text('extract.loading'));
  await (await mounted)?.panel.load();
  waiting = false;
  if (model === null) onOffer(inTheWay);
}

/** @param {AbortSignal} signal */
async function extract(signal) {
  if (model === null || askForMissing()) return;
  const asked = message.value.trim();
  const fields = wantedFields();
  view.start(asked, fields, offeredFields());
  await write(model, [{ role: 'user', content: `${fields.join(', ')}\n${asked}` }], OPTIONS, view, signal);
  if (!view.complete && !signal.aborted) showUnfinished();
}

/** The model's answer is not what was agreed upon; what it wrote is there to be looked at. */
function showUnfinished() {
  const what = element('p', {}, text('extract.unfinished'));
  const label = text('extract.wrote');
  const written = element('pre', { tabindex: '0', translate: 'no', role: 'group', 'aria-label': label }, view.text);
  trouble.replaceChildren(element('section', { class: 'notice', role: 'alert' }, what, written));
}

/** Asks for what the question lacks, and says whether anything is: a form may be emptied while the model loads. */
function askForMissing() {
  if (message.value.trim() === '') askFor(text('extract.noMessage'), () => message.focus());
  else if (wantedFields().length === 0) askFor(text('extract.noField'), focusFields);
  else return false;
  return true;
}

/**
 * @param {string} what
 * @param {() => void} focus
 */
function askFor(what, focus) {
  clearWriting(view);
  sayInstead(what);
  focus();
}

/** @param {unknown} error */
async function showTrouble(error) {
  if (takesModelDown(error)) return (await mounted)?.panel.fail(error);
  trouble.replaceChildren(problemPanel(error, () => extracting.start()));
}

/** @param {Model} loaded */
function onReady(loaded) {
  model = loaded;
  showHint();
  if (waiting) void extracting.start();
  else message.focus();
}

function onGone() {
  model = null;
  extracting.abort();
}

/** @param {string | null} obstacle */
function onOffer(obstacle) {
  inTheWay = obstacle;
  allowStart(obstacle === null);
  if (obstacle === null) showHint(text('extract.firstPress'));
  else sayInstead(obstacle);
}

/** The fields of another kind have nothing to do with what was found. */
function onOtherKind() {
  extracting.abort();
  clearWriting(view);
}

function onEdit() {
  if (trouble.hasChildNodes()) clearWriting(view);
  if (model !== null) showHint();
}

async function showModel() {
  const mounted = await mountModel(byId('model', HTMLElement), 'extraction', { onReady, onGone, onOffer });
  byId('extracting', HTMLElement).hidden = mounted === null;
  if (mounted === null) return null;
  showKinds(mounted.entry.manifest.extraction ?? {}, onOtherKind);
  await fetchJson('passages/messages.json').then(showSamples, (error) =>
    trouble.replaceChildren(problemPanel(error, () => location.reload())),
  );
  return mounted;
}

showDeviceNotice();
connectWriting(message, { onStart: press, onStop: extracting.abort, textToCopy: () => view.json });
message.addEventListener('input', onEdit);
const mounted = showModel();
