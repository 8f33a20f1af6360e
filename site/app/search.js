/** The Search page: a model, a collection of texts, a question, and the passages that come nearest. */

import { announce } from './announcer.js';
import { fetchAhead, openCollection } from './collections.js';
import { showDeviceNotice } from './device_notice.js';
import { button, byId, element, whenRestored } from './dom.js';
import { formatDuration } from './format.js';
import { keepVectors, keyOf, readVectors } from './kept_vectors.js';
import { latest } from './latest.js';
import { mountModel } from './model_choice.js';
import { connectOwnText, showOwnText } from './own_text.js';
import { PassageIndex } from './passage_index.js';
import { takesModelDown } from './error_code.js';
import { problemPanel } from './problem_panel.js';
import { ReadingProgress } from './reading_progress.js';
import { connectKeys, isRelated, showResults } from './results_view.js';
import { text as say } from './texts.js';

/**
 * @typedef {import('./collections.js').Collection} Collection
 * @typedef {import('./collections.js').Passage} Passage
 * @typedef {import('./collections.js').Name | 'own'} Choice
 * @typedef {import('./catalogue.js').Entry} Entry
 * @typedef {import('./model_panel.js').ModelPanel} ModelPanel
 * @typedef {import('../engine/index.js').Model} Model
 * @typedef {{ text: string, vector: Float32Array, milliseconds: number }} Question
 */

const TYPING_PAUSE_MS = 150;
const FEWEST_SHOWN = 3;
const MOST_SHOWN = 10;
/** A best cosine below this answers nothing. */
const CLOSE = 0.25;
const PROGRESS = /** @type {const} */ ({ name: 'search.reading', count: 'search.progress', end: 'cancel' });

const query = byId('query', HTMLInputElement);
const hint = byId('hint', HTMLElement);
const examples = byId('examples', HTMLElement);
const about = byId('collection-about', HTMLElement);
const languageNote = byId('language-note', HTMLElement);
const collectionTrouble = byId('collection-trouble', HTMLElement);
const trouble = byId('trouble', HTMLElement);
const indexing = byId('indexing', HTMLElement);
const summary = byId('summary', HTMLElement);
const results = byId('results', HTMLOListElement);

/** @type {Model | null} */
let model = null;
/** Where the collection comes from. @type {Choice} */
let choice = 'facts';
/** @type {Collection | null} */
let collection = null;
/** What the model has read stays read while it is loaded. @type {Map<Collection, PassageIndex>} */
const indexes = new Map();
/** The question that was embedded last. @type {Question | null} */
let asked = null;
/** The passage that "More like this" started from: it is no answer to itself. @type {Passage | null} */
let origin = null;
/** @type {Promise<{ entry: Entry, panel: ModelPanel } | null>} */
let mounted;

const choosing = latest(chooseCollection, showCollectionTrouble);
const reading = latest(readCollection, (error) => showTrouble(error, () => reading.start()));
const asking = latest(answer, (error) => showTrouble(error, () => asking.start()));

/**
 * @param {AbortSignal} signal
 * @param {Choice} name
 */
async function chooseCollection(signal, name) {
  choice = name;
  showOwnText(name === 'own');
  collectionTrouble.replaceChildren();
  if (name === 'own') return useCollection(null);
  const fetched = await openCollection(name);
  if (!signal.aborted) useCollection(fetched);
}

/** @param {Collection | null} chosen */
function useCollection(chosen) {
  collection = chosen;
  about.textContent = chosen?.about ? `${say('search.passages', { n: chosen.passages.length })}. ${chosen.about}` : '';
  examples.replaceChildren(
    ...(chosen?.examples ?? []).map((text) => button(text, () => ask(text), { class: 'quiet', lang: 'en', translate: 'no' })),
  );
  void reading.start();
}

function chooseOwnText() {
  const own = byId('collections', HTMLElement).querySelector('input[value="own"]');
  if (own instanceof HTMLInputElement && !own.checked) own.click();
}

/** @param {Collection} own */
function useOwnText(own) {
  useCollection(own);
  query.focus();
}

/** Lets the model read the collection, unless it has. @param {AbortSignal} signal */
async function readCollection(signal) {
  asking.abort();
  clearAnswer();
  if (model === null || collection === null) return;
  const reader = model;
  const { passages } = collection;
  const key = await keptUnder(passages);
  const index = indexes.get(collection) ?? (await keptIndex(reader, passages, key));
  if (signal.aborted) return;
  indexes.set(collection, index);
  void asking.start();
  if (!index.complete) await readAndKeep(reader, index, { key, total: passages.length, signal });
  refresh(index);
  announce(summary.textContent ?? '');
}

/** @param {Passage[]} passages @returns {Promise<string | null>} null where the server does not say which model this is */
async function keptUnder(passages) {
  const { sha256 } = (await mounted)?.entry ?? {};
  return sha256 ? keyOf(sha256, passages.map(({ text }) => text)) : null;
}

/**
 * @param {Model} reader
 * @param {Passage[]} passages
 * @param {string | null} key
 */
async function keptIndex({ info }, passages, key) {
  const index = new PassageIndex(passages);
  const kept = key && info.dimensions ? await readVectors(key) : null;
  if (kept && info.dimensions) index.restore(kept, info.dimensions);
  return index;
}

/**
 * @param {Model} reader
 * @param {PassageIndex} index
 * @param {{ key: string | null, total: number, signal: AbortSignal }} options
 */
async function readAndKeep(reader, index, { key, total, signal }) {
  try {
    await readRest(reader, index, total, signal);
  } finally {
    if (key && index.size > 0) void keepVectors(key, index.toKeep());
  }
}

/**
 * @param {Model} reader
 * @param {PassageIndex} index
 * @param {number} total
 * @param {AbortSignal} signal
 */
async function readRest(reader, index, total, signal) {
  const progress = new ReadingProgress(total, PROGRESS, cancelReading);
  progress.update(index.size);
  indexing.replaceChildren(progress.root);
  announce(say('search.reads'));
  const onProgress = () => {
    progress.update(index.size);
    if (!results.contains(document.activeElement)) refresh(index);
  };
  try {
    await index.read(reader, { signal, onProgress });
  } finally {
    progress.root.remove();
  }
}

function cancelReading() {
  reading.abort();
  const again = button(say('search.readOn'), () => reading.start());
  indexing.replaceChildren(
    element(
      'div',
      { class: 'notice' },
      element('p', {}, say('search.unread')),
      element('p', { class: 'row' }, again),
    ),
  );
  again.focus();
}

/** @param {AbortSignal} signal */
async function answer(signal) {
  const index = collection && indexes.get(collection);
  if (model === null || !index) return;
  trouble.replaceChildren();
  const text = query.value.trim();
  if (text !== '' && text !== asked?.text) asked = await embedQuestion(model, text, signal);
  if (signal.aborted) return;
  if (text === '') asked = null;
  refresh(index);
  if (index.size > 0) announce(summary.firstChild?.textContent ?? '');
}

/**
 * @param {Model} reader
 * @param {string} text
 * @param {AbortSignal} signal
 */
async function embedQuestion(reader, text, signal) {
  results.setAttribute('aria-busy', 'true');
  const startedAt = performance.now();
  const [embedding] = await reader.embed([text], { signal });
  if (embedding === undefined) throw new RangeError('one text gave no embedding');
  return { text, vector: embedding.data, milliseconds: performance.now() - startedAt };
}

/** Shows what the passages that were read so far have to say. @param {PassageIndex} index */
function refresh(index) {
  if (asked === null) showReady(index);
  else if (index.size > 0) showAnswer(index, asked);
}

/** @param {PassageIndex} index */
function showReady(index) {
  emptyResults();
  if (!index.complete) return summary.replaceChildren();
  const cut = index.truncated === 0 ? [] : [say('search.cut', { n: index.truncated })];
  summary.replaceChildren([say('search.ready', { n: index.size }), ...cut].join(' '));
}

/**
 * @param {PassageIndex} index
 * @param {Question} question
 */
function showAnswer(index, { vector, milliseconds }) {
  const hits = worthShowing(index.rank(vector).filter(({ passage }) => passage !== origin));
  showResults(results, hits, askForSimilar);
  results.removeAttribute('aria-busy');
  const all = index.complete ? index.size : say('search.soFar', { n: index.size });
  const found = (hits[0]?.score ?? 0) < CLOSE ? 'search.nothing' : 'search.nearest';
  summary.replaceChildren(
    element('span', {}, say(found, { n: hits.length, all })),
    element('span', { class: 'numbers' }, say('search.time', { time: formatDuration(milliseconds) })),
  );
}

/** @param {import('./passage_index.js').Hit[]} ranked */
function worthShowing(ranked) {
  return ranked.slice(0, MOST_SHOWN).filter((hit, i) => i < FEWEST_SHOWN || isRelated(hit));
}

function emptyResults() {
  results.replaceChildren();
  results.removeAttribute('aria-busy');
}

function clearAnswer() {
  trouble.replaceChildren();
  summary.replaceChildren();
  emptyResults();
  indexing.replaceChildren();
}

/** @param {Passage} passage */
function askForSimilar(passage) {
  ask(passage.text, passage);
}

/**
 * @param {string} text
 * @param {Passage | null} [from] the passage that the text is taken from
 */
function ask(text, from = null) {
  origin = from;
  query.value = text;
  query.focus();
  void asking.start();
}

/** @param {unknown} error */
function showCollectionTrouble(error) {
  useCollection(null);
  const name = chosenName();
  collectionTrouble.replaceChildren(problemPanel(error, name === 'own' ? undefined : () => choosing.start(name)));
}

/**
 * @param {unknown} error
 * @param {() => void} retry
 */
async function showTrouble(error, retry) {
  clearAnswer();
  if (takesModelDown(error)) return (await mounted)?.panel.fail(error);
  trouble.replaceChildren(problemPanel(error, retry));
}

/** @returns {Choice} */
function chosenName() {
  const chosen = document.querySelector('input[name="collection"]:checked')?.getAttribute('value');
  return /** @type {Choice | undefined} */ (chosen) ?? 'facts';
}

/** @param {Entry} entry */
function showLanguages({ manifest }) {
  if (manifest.languages.join() !== 'en') return;
  languageNote.textContent = say('search.english');
}

/** @param {Model} loaded */
function onReady(loaded) {
  model = loaded;
  hint.hidden = true;
  query.focus();
  void reading.start();
  void fetchAhead();
}

/** @param {string | null} obstacle */
function onOffer(obstacle) {
  hint.textContent = obstacle ?? say('search.hint');
}

function onGone() {
  model = null;
  asked = null;
  indexes.clear();
  hint.hidden = false;
  reading.abort();
  asking.abort();
  clearAnswer();
}

function connectQuestion() {
  let typing = 0;
  query.addEventListener('input', () => {
    origin = null;
    clearTimeout(typing);
    typing = window.setTimeout(asking.start, TYPING_PAUSE_MS);
  });
  byId('ask', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    clearTimeout(typing);
    void asking.start();
  });
  connectKeys(query, results);
}

showDeviceNotice();
connectQuestion();
connectOwnText({ onUse: useOwnText, onDrop: chooseOwnText, onError: showCollectionTrouble });
byId('collections', HTMLElement).addEventListener('change', () => choosing.start(chosenName()));
void choosing.start(chosenName());
whenRestored(() => chosenName() !== choice && choosing.start(chosenName()));
mounted = mountModel(byId('model', HTMLElement), 'sentence-embedding', { onReady, onGone, onOffer });
void mounted.then((found) => found && showLanguages(found.entry));
