/** The Classify page: texts get labels, those of a model or the visitor's own. */

import { announce } from '../announcer.js';
import { showDeviceNotice } from '../device_notice.js';
import { button, byId, whenRestored } from '../dom.js';
import { takesModelDown } from '../error_code.js';
import { formatLanguages } from '../format.js';
import { latest } from '../latest.js';
import { mountModel } from '../model_choice.js';
import { problemPanel } from '../problem_panel.js';
import { language, text as say } from '../texts.js';
import { announceAnswer, awaitAnswer, clearAnswer, showAnswer, showTime } from './answer_view.js';
import { saveFile } from './file_saving.js';
import { openLabels } from './label_files.js';
import { connectLabels, writtenLabels } from './label_form.js';
import { usable } from './label_set.js';
import { keepLabels } from './label_store.js';
import { ManyTexts } from './many_texts.js';
import { connectTable, showTable } from './result_table.js';
import { csvOf, jsonOf } from './sorted_texts.js';
import { ClassSorter, LabelSorter, MOST_READ_CHARACTERS } from './sorters.js';
import { broughtTexts, connectSource, focusSource, offerLines } from './source_form.js';
import { clearWords, showWords } from './word_view.js';

/**
 * @typedef {import('../../engine/index.js').Model} Model
 * @typedef {import('./word_view.js').WordClass} WordClass
 * @typedef {import('./sorters.js').Sorter} Sorter
 */

const OWN_LABELS = 'sentence-embedding';
const OF_TEXTS = 'text-classification';
const OF_WORDS = 'token-classification';
const TYPING_PAUSE_MS = 150;
const SAMPLES = 3;

const area = byId('text', HTMLTextAreaElement);
const hint = byId('hint', HTMLElement);
const go = byId('go', HTMLButtonElement);
const trouble = byId('trouble', HTMLElement);

let task = OWN_LABELS;
/** The labels that the model was trained on. @type {string[]} */
let classes = [];
/** @type {Model | null} */
let model = null;
/** @type {Sorter | null} */
let sorter = null;
/** What the model has made of the one text. @type {import('./sorters.js').Reading | null} */
let reading = null;
/** Whether the visitor has asked for labels of many texts and waits for the model. */
let waiting = false;
/** The latest making ready of the labels. */
let prepared = Promise.resolve();
/** What keeps the model from running here. @type {string | null} */
let inTheWay = null;

const preparing = latest(prepare, (error) => showTrouble(error, () => prepareAgain()));
const answering = latest(answer, (error) => showTrouble(error, () => answering.start()));
const many = new ManyTexts({ needSorter, onRows: refreshTable, onError: (error) => showTrouble(error) });

/** The least score that gives a label: a model's own best is always given. */
function least() {
  return task === OWN_LABELS ? writtenLabels().least : 0;
}

function scoreWords() {
  if (task === OWN_LABELS) return { name: say('classify.similarity'), title: say('search.closeness.title') };
  return { name: say('classify.score'), title: say('classify.score.title') };
}

/** Makes the sorter ready for the labels, and what was read is judged by them. @param {AbortSignal} signal */
async function prepare(signal) {
  if (sorter === null) return;
  const ready = sorter;
  await ready.prepare(usable(writtenLabels().labels), signal);
  if (signal.aborted) return;
  trouble.replaceChildren();
  showReading();
  await many.judge(ready, signal);
}

function prepareAgain() {
  prepared = preparing.start();
}

/** Resolves when no labels wait to be made ready. */
async function whenPrepared() {
  let seen;
  do {
    seen = prepared;
    await seen;
  } while (seen !== prepared);
}

/** @param {AbortSignal} signal */
async function answer(signal) {
  const text = area.value;
  if (model === null || text.trim() === '') return forgetAnswer();
  const startedAt = performance.now();
  awaitAnswer();
  if (task === OF_WORDS) showWords(text, await wordsOf(model, text, signal));
  else if (sorter) [reading] = await sorter.read([text], signal);
  await whenPrepared();
  if (signal.aborted) return;
  trouble.replaceChildren();
  showReading();
  showTime(performance.now() - startedAt);
  if (reading && sorter) announceAnswer(sorter.judge(reading), least(), scoreWords());
}

/**
 * @param {Model} reader
 * @param {string} text
 * @param {AbortSignal} signal
 */
async function wordsOf(reader, text, signal) {
  return /** @type {WordClass[]} */ (await reader.classifyTokens(text.slice(0, MOST_READ_CHARACTERS), { signal }));
}

function showReading() {
  if (reading && sorter) showAnswer(sorter.judge(reading), least(), scoreWords());
}

function forgetAnswer() {
  reading = null;
  clearAnswer();
  clearWords();
}

function refreshTable() {
  showTable(many.rows, labelNames(), least());
}

function labelNames() {
  if (task === OWN_LABELS) return usable(writtenLabels().labels).map(({ name }) => name);
  return classes;
}

function press() {
  if (broughtTexts().length === 0) return askFor(say('lines.need'), focusSource);
  if (labelNames().length === 0) return askFor(say('labels.need'), () => byId('add-label', HTMLButtonElement).focus());
  many.begin(broughtTexts());
}

/** The first press loads the model. */
async function needSorter() {
  if (sorter === null) await loadForMany();
  await whenPrepared();
  return sorter;
}

async function loadForMany() {
  waiting = true;
  askFor(say('lines.loading'), () => {});
  await (await mounted)?.panel.load();
  waiting = false;
  if (model === null) onOffer(inTheWay);
}

/**
 * @param {string} what
 * @param {() => void} focus
 */
function askFor(what, focus) {
  const note = byId('many-hint', HTMLElement);
  note.textContent = what;
  announce(what);
  focus();
}

/**
 * @param {unknown} error
 * @param {() => void} [retry]
 */
async function showTrouble(error, retry) {
  clearAnswer();
  many.abort();
  if (takesModelDown(error)) return (await mounted)?.panel.fail(error);
  trouble.replaceChildren(problemPanel(error, retry));
}

/** @param {Model} loaded */
function onReady(loaded) {
  model = loaded;
  sorter = task === OWN_LABELS ? new LabelSorter(loaded) : task === OF_TEXTS ? new ClassSorter(loaded) : null;
  showHints('');
  prepareAgain();
  void answering.start();
  if (waiting) return go.scrollIntoView({ block: 'center' });
  if (byId('one', HTMLElement).hidden) focusSource();
  else area.focus();
}

function onGone() {
  model = sorter = reading = null;
  preparing.abort();
  answering.abort();
  many.abort();
  clearAnswer();
  clearWords();
}

/** @param {string | null} obstacle */
function onOffer(obstacle) {
  inTheWay = obstacle;
  go.disabled = obstacle !== null;
  showHints(obstacle ?? say('classify.hint'), obstacle ?? say('extract.firstPress'));
}

/**
 * @param {string} one
 * @param {string} [several]
 */
function showHints(one, several = one) {
  hint.textContent = one;
  byId('many-hint', HTMLElement).textContent = several;
}

/** @param {string[]} samples texts to try */
function offerSamples(samples) {
  const tries = samples.slice(0, SAMPLES).map((sample) => button(sample, () => tryText(sample), { class: 'quiet', translate: 'no' }));
  byId('samples', HTMLElement).replaceChildren(...tries);
  offerLines(samples);
}

/** @param {string} sample */
function tryText(sample) {
  area.value = sample;
  area.focus();
  void answering.start();
}

/** @param {() => unknown} work @returns {() => void} which does it when nothing has been typed for a moment */
function afterTyping(work) {
  let typing = 0;
  return () => {
    clearTimeout(typing);
    typing = window.setTimeout(work, TYPING_PAUSE_MS);
  };
}

function connectForms() {
  area.addEventListener('input', afterTyping(answering.start));
  byId('one', HTMLFormElement).addEventListener('submit', (event) => event.preventDefault());
  byId('many', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    press();
  });
  byId('amount', HTMLElement).addEventListener('change', showAmount);
  whenRestored(showAmount);
  connectSource({
    onChange: () => trouble.replaceChildren(),
    onDrop: openMany,
    onError: (error) => trouble.replaceChildren(problemPanel(error)),
  });
  connectTable();
  byId('save-csv', HTMLButtonElement).addEventListener('click', () => saveFile('labels.csv', 'text/csv', csvOf(many.rows, least())));
  byId('save-json', HTMLButtonElement).addEventListener('click', () => {
    saveFile('texts.json', 'application/json', jsonOf(many.rows, least(), (each) => sorter?.judge(each) ?? []));
  });
}

/** One text or many. */
function showAmount() {
  const several = byId('several', HTMLInputElement).checked;
  byId('one', HTMLElement).hidden = byId('answer', HTMLElement).hidden = several;
  byId('many', HTMLElement).hidden = byId('results', HTMLElement).hidden = !several;
}

/** @returns {boolean} whether the model takes texts as a whole */
function openMany() {
  if (byId('sorting', HTMLElement).hidden || byId('amount', HTMLElement).hidden) return false;
  byId('several', HTMLInputElement).checked = true;
  showAmount();
  return true;
}

/** @param {() => Promise<void>} work @returns {() => void} which does it at once, or again when it is under way */
function withoutLoss(work) {
  let isBusy = false;
  let isDue = false;
  return async function again() {
    isDue = true;
    if (isBusy) return;
    isBusy = true;
    while (isDue) {
      isDue = false;
      await work();
    }
    isBusy = false;
  };
}

function connectOwnLabels() {
  // A visitor may leave right after the last letter.
  const keep = withoutLoss(() => keepLabels(writtenLabels()));
  const prepare = afterTyping(prepareAgain);
  connectLabels({
    onLabels: () => {
      keep();
      prepare();
    },
    onLeast: () => {
      showReading();
      refreshTable();
      keep();
    },
  });
}

/** What only the visitor's own labels need, or only texts as a whole. @param {import('../catalogue.js').Entry} entry */
async function showTask({ manifest }) {
  task = manifest.task;
  classes = manifest.labels ?? [];
  byId('sorting', HTMLElement).hidden = false;
  byId('amount', HTMLElement).hidden = task === OF_WORDS;
  byId('score-head', HTMLElement).textContent = scoreWords().name;
  const { languages } = manifest;
  if (languages.length === 1 || (languages.length > 0 && !languages.includes(language))) {
    byId('language-note', HTMLElement).textContent = say('classify.languages', { languages: formatLanguages(languages) });
  }
  if (task !== OWN_LABELS) return;
  connectOwnLabels();
  await openLabels(languages, { onLabels: prepareAgain, onSamples: offerSamples });
  byId('own-labels', HTMLElement).hidden = false;
}

async function showModel() {
  const found = await mountModel(byId('model', HTMLElement), [OWN_LABELS, OF_TEXTS, OF_WORDS], { onReady, onGone, onOffer });
  if (found) await showTask(found.entry);
  return found;
}

showDeviceNotice();
connectForms();
const mounted = showModel();
