/** Which of the site's models a page plays: the one that the address names, else the first for its purpose. */

import { fetchCatalogue, modelsFor } from './catalogue.js';
import { element } from './dom.js';
import { emptyNotice } from './empty_notice.js';
import { nameOf } from './model_facts.js';
import { ModelPanel } from './model_panel.js';
import { problemPanel } from './problem_panel.js';
import { text } from './texts.js';

/**
 * @typedef {import('./catalogue.js').Entry} Entry
 * @typedef {import('./model_panel.js').Hooks} Hooks
 */

/**
 * Fills `body` with the panel of the page's model, or with why there is none.
 * @param {HTMLElement} body
 * @param {string | string[]} purpose a task, or `extraction`; of several, the likeliest first
 * @param {Hooks} hooks
 * @param {(entry: Entry) => boolean} [suits] leaves out what does the task for another end
 * @returns {Promise<{ entry: Entry, panel: ModelPanel } | null>} null where the site has no model for it
 */
export async function mountModel(body, purpose, hooks, suits = () => true) {
  const every = await entriesOf(body);
  body.removeAttribute('aria-busy');
  if (every === null) {
    hooks.onOffer(text('models.unread'));
    return null;
  }
  const purposes = [purpose].flat();
  const entries = purposes.flatMap((each) => modelsFor(every, each)).filter(suits);
  const wanted = entries.find(({ url }) => url === wantedUrl());
  const entry = wanted ?? entries[0];
  if (entry === undefined) {
    body.replaceChildren(...emptyNotice(every, purposes[0]));
    hooks.onOffer(text('models.none'));
    return null;
  }
  const inner = element('div', { class: 'model' });
  body.replaceChildren(...(wanted ? [] : strayNote()), ...picker(entries, entry), inner);
  const panel = new ModelPanel(inner, entry, hooks);
  await panel.offer();
  return { entry, panel };
}

/**
 * @param {HTMLElement} body
 * @returns {Promise<Entry[] | null>} null after showing why the catalogue could not be read
 */
async function entriesOf(body) {
  try {
    return await fetchCatalogue();
  } catch (error) {
    body.replaceChildren(problemPanel(error, () => location.reload()));
    return null;
  }
}

function wantedUrl() {
  return new URLSearchParams(location.search).get('model');
}

/** Says that the address names a model that this page does not have, if it names one. */
function strayNote() {
  const wanted = wantedUrl();
  if (wanted === null) return [];
  return [element('p', { class: 'note' }, text('models.stray', { url: wanted }))];
}

/**
 * @param {Entry[]} entries
 * @param {Entry} chosen
 */
function picker(entries, chosen) {
  if (entries.length < 2) return [];
  const select = element(
    'select',
    { id: 'model-picker' },
    ...entries.map((entry) =>
      element('option', { value: entry.url, selected: entry.url === chosen.url }, nameOf(entry)),
    ),
  );
  select.addEventListener('change', () => location.assign(`?model=${encodeURIComponent(select.value)}`));
  return [element('label', { for: 'model-picker', class: 'field' }, text('models.choose')), select];
}
