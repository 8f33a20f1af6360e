/** Where the labels come from and go to: sets to start from, this device, and files. */

import { fetchJson } from '../catalogue.js';
import { button, byId, element } from '../dom.js';
import { problemPanel } from '../problem_panel.js';
import { readTextFiles } from '../text_files.js';
import { language, text } from '../texts.js';
import { saveFile } from './file_saving.js';
import { replaceLabels } from './label_change.js';
import { showLabels, writtenLabels } from './label_form.js';
import { fromFile, toFile, USUAL_LEAST } from './label_set.js';
import { forgetLatest, readLabels } from './label_store.js';
import { connectNamedSets } from './named_sets.js';

/**
 * @typedef {{ labels: import('./label_set.js').Label[], samples: string[] }} Starter with texts to try it on
 * @typedef {{ languages: Record<string, string>, sets: Record<string, Record<string, Starter>> }} Starters by name and language
 */

const FALLBACK = 'en';
const starters = byId('starters', HTMLElement);
const trouble = byId('labels-trouble', HTMLElement);
const picker = byId('labels-file', HTMLInputElement);

/**
 * Shows the labels of the last visit, or a set to start from.
 * @param {string[]} spoken languages that the model has learned
 * @param {object} hooks
 * @param {() => void} hooks.onLabels
 * @param {(samples: string[]) => void} hooks.onSamples
 */
export async function openLabels(spoken, { onLabels, onSamples }) {
  connectFiles(onLabels);
  const [kept] = await Promise.all([readLabels(), connectNamedSets(onLabels)]);
  if (kept) showLabels(kept);
  try {
    const offered = /** @type {Starters} */ (await fetchJson('passages/labels.json'));
    const choices = offeredIn(offered, spoken);
    starters.replaceChildren(...choices.map((choice) => starterButton(choice, onLabels, onSamples)));
    const first = choices.find(({ tag }) => spoken.includes(tag)) ?? choices[0];
    if (!kept && first) showLabels({ labels: first.starter.labels, least: USUAL_LEAST });
    onSamples(first?.starter.samples ?? []);
  } catch (error) {
    trouble.replaceChildren(problemPanel(error, () => location.reload()));
  }
  onLabels();
}

/**
 * The sets in the page's language; in English, too, for a model that has not learned that language.
 * @param {Starters} offered
 * @param {string[]} spoken
 */
function offeredIn({ languages, sets }, spoken) {
  const tags = spoken.includes(language) ? [language] : [...new Set([language, FALLBACK])];
  return tags.flatMap((tag) =>
    Object.entries(sets).flatMap(([name, each]) =>
      each[tag] ? [{ name, tag, starter: each[tag], spokenName: languages[tag] ?? tag }] : [],
    ),
  );
}

/**
 * @param {{ name: string, tag: string, starter: Starter, spokenName: string }} choice
 * @param {() => void} onLabels
 * @param {(samples: string[]) => void} onSamples
 */
function starterButton({ name, tag, starter, spokenName }, onLabels, onSamples) {
  const title = text(/** @type {import('../texts.js').Key} */ (`labels.set.${name}`));
  const made = button('', () => {
    replaceLabels({ labels: starter.labels, least: writtenLabels().least }, onLabels);
    onSamples(starter.samples);
  }, { class: 'quiet' });
  const other = tag === language ? [] : [' · ', element('span', { lang: tag, translate: 'no' }, spokenName)];
  made.append(element('span', {}, title, ...other));
  return made;
}

/** @param {() => void} onLabels */
function connectFiles(onLabels) {
  byId('labels-save', HTMLButtonElement).addEventListener('click', () => {
    saveFile('labels.json', 'application/json', toFile(writtenLabels()));
  });
  byId('labels-clear', HTMLButtonElement).addEventListener('click', () => {
    replaceLabels({ labels: [], least: USUAL_LEAST }, onLabels);
    void forgetLatest();
  });
  picker.addEventListener('change', async () => {
    const [file] = picker.files ?? [];
    if (file) await openFile(file, onLabels);
    picker.value = '';
  });
}

/**
 * @param {File} file
 * @param {() => void} onLabels
 */
async function openFile(file, onLabels) {
  try {
    const [content] = await readTextFiles([file]);
    replaceLabels(fromFile(file.name, content ?? ''), onLabels);
  } catch (error) {
    trouble.replaceChildren(problemPanel(error));
  }
}
