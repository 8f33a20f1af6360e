/** The bench page: measures a model of this site on the visitor's device, draws results, and makes links of them. */

import { byId, html } from './elements.js';
import { Ours } from './ours.js';
import { plots } from './plot.js';
import { readResult } from './result.js';
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
const section = byId('result', HTMLElement);
const status = byId('status', HTMLElement);
const shared = byId('shared', HTMLElement);

/** @type {Result | null} */
let shown = null;
/** @type {Entry[]} */
let entries = [];

/** @param {string} words */
function say(words) {
  note.textContent = words;
}

/** @param {unknown} error */
function complain(error) {
  const { name, message } = /** @type {Error} */ (error);
  say(name === 'AbortError' ? 'Stopped.' : `That did not work: ${message}`);
  status.textContent = note.textContent;
}

/** @param {Result} result */
function show(result) {
  shown = result;
  const { model: { title, quantization }, device, date } = result;
  const parts = [title, quantization, `on ${device.name}`, date && new Date(date).toLocaleDateString()];
  const soft = device.software ? ' This is a software adapter: its times say nothing about a graphics processor.' : '';
  byId('about', HTMLElement).textContent = `${parts.filter(Boolean).join(' · ')}.${soft}`;
  byId('drawn', HTMLElement).replaceChildren(plots(result), html('div', { class: 'wide', tabindex: '0', role: 'region', 'aria-label': 'Result in numbers' }, table(result)));
  shared.textContent = '';
  section.hidden = false;
}

async function listModels() {
  const response = await fetch('../models/catalogue.json');
  if (!response.ok) throw new Error(`the server answered ${response.status} for the list of models`);
  /** @type {{ models: Entry[] }} */
  const { models } = await response.json();
  entries = models.filter(({ manifest }) => MEASURED.includes(manifest.task));
  model.replaceChildren(...entries.map(({ url, manifest }) => html('option', { value: url }, `${manifest.title} (${manifest.quantization})`)));
  model.disabled = go.disabled = entries.length === 0;
  say(entries.length === 0 ? 'This site has no model to measure.' : 'Other tabs and programs should rest meanwhile. A model is downloaded once.');
}

/** @param {Entry} entry @param {AbortSignal} signal */
async function run(entry, signal) {
  const onProgress = (/** @type {{ loaded: number, total: number }} */ { loaded, total }) => say(`Loading: ${Math.floor((100 * loaded) / total)} %`);
  const engine = await Ours.open(`../${entry.url}`, { onProgress, signal });
  try {
    const { vendor, architecture, description } = engine.model.info.adapter;
    const name = [vendor, architecture, description].filter(Boolean).join(' ') || 'unknown';
    const onRow = (/** @type {import('./result.js').Row[]} */ rows, /** @type {string} */ next) => {
      say(next ? `Measuring: ${next}…` : 'Done.');
      if (rows.length > 0) show({ ...about, workloads: [...rows] });
    };
    const { title, quantization } = entry.manifest;
    const about = {
      model: { title, quantization },
      device: { name, software: /swiftshader|llvmpipe|lavapipe/i.test(name), browser: navigator.userAgent },
      date: new Date().toISOString(),
      notes: [],
    };
    await measure(engine, { rounds: Number(rounds.value), signal, onRow });
    status.textContent = 'The measurement is done.';
  } finally {
    await engine.close();
  }
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const entry = entries.find(({ url }) => url === model.value);
  if (!entry) return;
  const controller = new AbortController();
  const halt = () => controller.abort();
  stop.addEventListener('click', halt);
  go.disabled = true;
  stop.hidden = false;
  try {
    await run(entry, controller.signal);
  } catch (error) {
    complain(error);
  } finally {
    stop.removeEventListener('click', halt);
    go.disabled = false;
    stop.hidden = true;
  }
});

file.addEventListener('change', async () => {
  const [given] = file.files ?? [];
  if (!given) return;
  try {
    if (given.size > MOST_FILE_BYTES) throw new TypeError('the file is too large for a result');
    show(readResult(JSON.parse(await given.text())));
  } catch (error) {
    complain(error);
  }
});

/** @param {Result} result @returns {Promise<string>} what became of it */
async function share(result) {
  const link = new URL(await toFragment(result), location.href).href;
  history.replaceState(null, '', link);
  const copied = await navigator.clipboard.writeText(link).then(() => true, () => false);
  return copied ? 'The link is copied; it is also the address of this page now.' : 'The link is the address of this page now.';
}

byId('share', HTMLButtonElement).addEventListener('click', async () => {
  if (shown) shared.textContent = await share(shown).catch(({ message }) => message);
});

async function showLinked() {
  const result = await fromFragment(location.hash);
  if (result) show(result);
}

addEventListener('hashchange', () => showLinked().catch(complain));
// In this order: what is wrong with the link must stay to be read.
await listModels().catch(complain);
await showLinked().catch(complain);
