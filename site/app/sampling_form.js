/** The sampling options. An empty field leaves the choice to the model. */

import { byId, whenRestored } from './dom.js';
import { formatNumber } from './format.js';
import { text } from './texts.js';

/** @typedef {{ temperature: number, topK: number, topP: number }} Defaults */

const FIELDS = { temperature: 'temperature', topK: 'top-k', topP: 'top-p', maxTokens: 'max-tokens', seed: 'seed' };

const note = byId('sampling-note', HTMLElement);

/** The temperature where the visitor sets none. */
let usualTemperature = 1;

/** A value out of range opens the options, so that the browser can point at it. */
export function connectSampling() {
  const options = byId('options', HTMLDetailsElement);
  options.addEventListener('invalid', () => (options.open = true), true);
  byId(FIELDS.temperature, HTMLInputElement).addEventListener('input', showNote);
  showNote();
  whenRestored(showNote);
}

/** Shows in the empty fields what the model does by itself. @param {Defaults} defaults */
export function showDefaults({ temperature, topK, topP }) {
  usualTemperature = temperature;
  byId(FIELDS.temperature, HTMLInputElement).placeholder =
    temperature === 0 ? text('sampling.greedy', { n: 0 }) : formatNumber(temperature);
  byId(FIELDS.topK, HTMLInputElement).placeholder = topK === 0 ? text('sampling.off', { n: 0 }) : formatNumber(topK);
  byId(FIELDS.topP, HTMLInputElement).placeholder = formatNumber(topP);
  showNote();
}

function showNote() {
  const set = byId(FIELDS.temperature, HTMLInputElement).valueAsNumber;
  const temperature = Number.isNaN(set) ? usualTemperature : set;
  note.textContent = text(temperature === 0 ? 'sampling.greedyNote' : 'sampling.note');
}

/** @param {number} context most tokens that the model holds */
export function limitSampling(context) {
  const field = byId(FIELDS.maxTokens, HTMLInputElement);
  field.max = String(context);
  if (field.valueAsNumber > context) field.value = field.max;
}

/** @returns {Record<string, number>} the options that the visitor has set, by the engine's names */
export function readSampling() {
  const filled = Object.entries(FIELDS).flatMap(([name, id]) => {
    const value = byId(id, HTMLInputElement).valueAsNumber;
    return Number.isNaN(value) ? [] : [[name, value]];
  });
  return Object.fromEntries(filled);
}
