/** The Storage page: what this site keeps on the device, how much that is, and how to delete it. */

import { forget, keptModels } from '../../engine/index.js';
import { announce } from '../announcer.js';
import { button, byId, element } from '../dom.js';
import { formatBytes } from '../format.js';
import { problemPanel } from '../problem_panel.js';
import { text } from '../texts.js';
import { confirmed } from './confirmation.js';
import { keptThings } from './kept_things.js';
import { showRoom } from './room_view.js';
import { modelRow, thingRow } from './rows.js';

/** @typedef {import('../../engine/index.js').KeptModel} KeptModel */
/** @typedef {import('./kept_things.js').Thing} Thing */

const trouble = byId('trouble', HTMLElement);
const models = byId('kept-models', HTMLElement);
const other = byId('other', HTMLElement);

async function show() {
  trouble.replaceChildren();
  await Promise.all([showRoom(byId('room', HTMLElement)), showModels(), showOther()]).catch((error) =>
    trouble.replaceChildren(problemPanel(error, show)),
  );
}

async function showModels() {
  const kept = await keptModels();
  if (kept.length === 0) models.replaceChildren(...noModels());
  else models.replaceChildren(element('ul', { class: 'kept' }, ...kept.map(rowOf)), ...deleteAll(kept));
  models.removeAttribute('aria-busy');
}

function noModels() {
  const link = element('a', { class: 'button quiet', href: 'index.html' }, text('storage.choose'));
  const words = element('p', { class: 'note' }, text('storage.none'));
  return [element('div', { class: 'notice' }, words, element('p', { class: 'row' }, link))];
}

/** @param {KeptModel} model */
function rowOf(model) {
  const { title, url, keptBytes } = model;
  return modelRow(model, () =>
    deleteIfWanted({
      question: text('storage.ask', { title }),
      consequence: text('storage.frees', { size: formatBytes(keptBytes) }),
      work: () => forget(url),
      said: text('storage.deleted', { title }),
      next: 'models-title',
    }),
  );
}

/** @param {KeptModel[]} kept */
function deleteAll(kept) {
  if (kept.length < 2) return [];
  const bytes = kept.reduce((sum, { keptBytes }) => sum + keptBytes, 0);
  const ask = () =>
    deleteIfWanted({
      question: text('storage.askAll'),
      consequence: text('storage.frees', { size: formatBytes(bytes) }),
      work: async () => {
        for (const { url } of kept) await forget(url);
      },
      said: text('storage.deletedModels'),
      next: 'models-title',
    });
  return [element('p', { class: 'row' }, button(text('storage.deleteModels'), ask, { class: 'quiet' }))];
}

async function showOther() {
  const things = await keptThings();
  if (things.length === 0) other.replaceChildren(element('p', { class: 'note' }, text('storage.nothing')));
  else other.replaceChildren(element('ul', { class: 'kept' }, ...things.map(thingOf)));
  other.removeAttribute('aria-busy');
}

/** @param {Thing} thing */
function thingOf(thing) {
  const { title, forget: work } = thing;
  const question = text('storage.ask', { title });
  const consequence = text('storage.forGood');
  const said = text('storage.deleted', { title });
  return thingRow(thing, () => deleteIfWanted({ question, consequence, work, said, next: 'other-title' }));
}

/**
 * @param {object} deletion
 * @param {string} deletion.question
 * @param {string} deletion.consequence
 * @param {() => Promise<void>} deletion.work
 * @param {string} deletion.said when it is gone
 * @param {string} deletion.next id of what takes the focus
 */
async function deleteIfWanted({ question, consequence, work, said, next }) {
  if (!(await confirmed(question, consequence))) return;
  try {
    await work();
    await show();
    announce(said);
    byId(next, HTMLElement).focus();
  } catch (error) {
    trouble.replaceChildren(problemPanel(error, show));
  }
}

void show();
