/** The bench page: measures a model of this site on the visitor's device, draws results, and makes links of them. */

import { formatBytes, formatDay, formatPercent } from '../app/format.js';
import { PROBLEMS, problemOf } from '../app/problems.js';
import { text } from '../app/texts.js';
import { inspect } from '../engine/index.js';
import { onDroppedFile } from './dropped_file.js';
import { byId, html } from './elements.js';
import { Ours } from './ours.js';
import { plots } from './plot.js';
import { nameInWords, readResult } from './result.js';
import { fromFragment, toFragment } from './share.js';
import { table } from './table.js';
import { measure } from './workloads.js';

/** @typedef {import('./result.js').Result} Result */
/** @typedef {{ url: string, manifest: { title: string, quantization: string, task: string } }} Entry */

const MEASURED = ['text-generation', 'sentence-embedding'];
const MOST_FILE_BYTES = 4 << 20;

const form = byId('ask', HTMLFormElement);
const model = byId('model', HTMLSelectElement);
const rounds = byId('rounds', HTMLSelectElement);
const go = byId('go', HTMLButtonElement);
const stop = byId('stop', HTMLButtonElement);
const file = byId('file', HTMLInputElement);
const note = byId('note', HTMLElement);
const progress = byId('progress', HTMLProgressElement);
const notes = byId('notes', HTMLElement);
const section = byId('result', HTMLElement);
const status = byId('status', HTMLElement);
const shared = byId('shared', HTMLElement);

/** @type {Result | null} */
let shown = null;
/** @type {Entry[]} */
let entries = [];

/** @param {string} words @param {number | null} [done] of what goes on, 0 to 1, null where it is not known; nothing goes on unless said */
function say(words, done) {
  note.textContent = words;
  note.classList.remove('wrong');
  progress.hidden = done === undefined;
  if (typeof done === 'number') progress.value = done;
  else progress.removeAttribute('value');
}

/** @param {unknown} error */
function complain(error) {
  const { name, code = '', message } = /** @type {Error & { code?: string }} */ (error);
  const stopped = name === 'AbortError' || code === 'ABORTED';
  say(stopped ? text('bench.stopped') : text('bench.failed', { why: Object.hasOwn(PROBLEMS, code) ? explained(code) : message }));
  note.classList.toggle('wrong', !stopped);
  status.textContent = note.textContent;
}

/** @param {string} code */
function explained(code) {
  const { title, why, next } = problemOf(code);
  return `${title}. ${why} ${next}`;
}

/** @param {Result} result */
function show(result) {
  shown = result;
  const { model: { title, quantization }, device, date } = result;
  const place = text('bench.on', { device: device.name || text('bench.unknown') });
  const parts = [title, quantization, place, date && formatDay(date)];
  const soft = device.software ? ` ${text('bench.software')}` : '';
  byId('about', HTMLElement).textContent = `${parts.filter(Boolean).join(' · ')}.${soft}`;
  byId('drawn', HTMLElement).replaceChildren(plots(result), html('div', { class: 'wide', tabindex: '0', role: 'region', 'aria-label': text('bench.numbers') }, table(result)));
  notes.replaceChildren(...result.notes.map((words) => html('li', {}, words)));
  notes.hidden = result.notes.length === 0;
  shared.textContent = '';
  section.hidden = false;
  document.title = text('bench.pageTitle', { title });
}

/** What came from a file or a link: what was said before is of something else. @param {Result} result */
function showOpened(result) {
  show(result);
  say(text('bench.opened'));
  const heading = byId('result-title', HTMLElement);
  heading.focus({ preventScroll: true });
  heading.scrollIntoView();
}

async function listModels() {
  const response = await fetch('../models/catalogue.json');
  if (!response.ok) throw new Error(text('site.status', { status: response.status, url: response.url }));
  /** @type {{ models: Entry[] }} */
  const { models } = await response.json();
  entries = models.filter(({ manifest }) => MEASURED.includes(manifest.task));
  model.replaceChildren(...entries.map(({ url, manifest }) => html('option', { value: url }, `${manifest.title} (${manifest.quantization})`)));
  model.disabled = entries.length === 0;
  await describe(() => shown === null);
}

/** Says before anything is paid for what the chosen model costs, and whether it can run here. @param {() => boolean} [hasTheWord] */
async function describe(hasTheWord = () => true) {
  const entry = entries.find(({ url }) => url === model.value);
  if (!entry) return say(text('bench.noModel'));
  const { ok, code, downloadBytes, cachedBytes } = await inspect(`../${entry.url}`);
  if (model.value !== entry.url || !stop.hidden) return;
  go.disabled = !ok;
  if (ok && !hasTheWord()) return;
  const missing = downloadBytes - cachedBytes;
  const cost = missing <= 0 ? text('bench.here') : text('bench.downloads', { size: formatBytes(missing) });
  say(ok ? `${cost} ${text('bench.rest')}` : text('panel.obstacle', { why: problemOf(code ?? '').title }));
}

/** @param {Entry} entry @param {AbortSignal} signal */
async function run(entry, signal) {
  const onProgress = (/** @type {import('../engine/index.js').Progress} */ { stage, loaded, total }) =>
    stage === 'compile' ? say(`${text('load.compile')}…`, null) : say(text('bench.loading', { done: formatPercent(loaded / total) }), loaded / total);
  const engine = await Ours.open(`../${entry.url}`, { onProgress, signal });
  try {
    const { vendor, architecture, description } = engine.model.info.adapter;
    const name = [vendor, architecture, description].filter(Boolean).join(' ');
    const onRow = (/** @type {import('./result.js').Row[]} */ rows) => show({ ...about, workloads: [...rows] });
    const onStep = (/** @type {import('./workloads.js').Step} */ { name: what, round, rounds, done }) =>
      say(text(round === 0 ? 'bench.warming' : 'bench.round', { name: nameInWords(what), round, rounds }), done);
    const { title, quantization } = entry.manifest;
    const about = {
      model: { title, quantization },
      device: { name, software: /swiftshader|llvmpipe|lavapipe/i.test(name), browser: navigator.userAgent },
      date: new Date().toISOString(),
      notes: [],
    };
    await measure(engine, { rounds: Number(rounds.value), signal, onStep, onRow });
    say(text('bench.done'));
    status.textContent = text('bench.isDone');
  } finally {
    await engine.close();
  }
}

/** @param {boolean} running */
function setRunning(running) {
  go.disabled = model.disabled = rounds.disabled = file.disabled = running;
  stop.hidden = !running;
  stop.disabled = false;
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const entry = entries.find(({ url }) => url === model.value);
  if (!entry || go.disabled) return;
  const controller = new AbortController();
  stop.onclick = () => {
    controller.abort();
    stop.disabled = true;
    say(text('bench.stopping'), null);
  };
  setRunning(true);
  history.replaceState(null, '', location.pathname);
  try {
    await run(entry, controller.signal);
  } catch (error) {
    complain(error);
  } finally {
    setRunning(false);
  }
});

model.addEventListener('change', () => describe().catch(complain));

/** @param {File} given */
async function open(given) {
  try {
    if (given.size > MOST_FILE_BYTES) throw new TypeError(text('bench.tooLarge'));
    const json = await given.text().then(JSON.parse).catch(() => {
      throw new TypeError(text('bench.noJson'));
    });
    showOpened(readResult(json));
    history.replaceState(null, '', location.pathname);
  } catch (error) {
    complain(error);
  }
}

async function openChosen() {
  const [given] = file.files ?? [];
  if (!given) return;
  await open(given);
  // So that the same file may be chosen again.
  file.value = '';
}

file.addEventListener('change', openChosen);
onDroppedFile((given) => (file.disabled ? undefined : open(given)));

/** @param {Result} result @returns {Promise<string>} what became of it */
async function share(result) {
  const link = new URL(await toFragment(result), location.href).href;
  history.replaceState(null, '', link);
  const copied = await navigator.clipboard.writeText(link).then(() => true, () => false);
  return text(copied ? 'bench.copied' : 'bench.linked');
}

byId('share', HTMLButtonElement).addEventListener('click', async () => {
  if (shown) shared.textContent = await share(shown).catch(({ message }) => message);
});

/** @param {string} fragment */
async function showLinked(fragment) {
  const result = await fromFragment(fragment);
  if (result) showOpened(result);
}

addEventListener('hashchange', () => showLinked(location.hash).catch(complain));
// A visitor may be quicker than the scripts, and what was opened or shared meanwhile stays.
const arrivedWith = location.hash;
await openChosen();
// In this order: what is wrong with the link must stay to be read.
await listModels().catch(complain);
if (!shown) await showLinked(arrivedWith).catch(complain);
