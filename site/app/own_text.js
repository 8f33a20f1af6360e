/** The form for a visitor's own text: typed, pasted, chosen or dropped. */

import { MOST_PASSAGES, ownCollection } from './collections.js';
import { byId, whenRestored } from './dom.js';
import { takeDroppedFiles } from './file_drop.js';
import { splitText } from './splitting.js';
import { readTextFiles } from './text_files.js';
import { text } from './texts.js';

/** @typedef {import('./collections.js').Collection} Collection */

const form = byId('own', HTMLFormElement);
const area = byId('own-text', HTMLTextAreaElement);
const picker = byId('own-file', HTMLInputElement);
const use = byId('own-use', HTMLButtonElement);
const note = byId('own-note', HTMLElement);

/** To cut a long text takes a moment. */
const TYPING_PAUSE_MS = 150;

let title = text('search.own.title');

/**
 * @param {object} hooks
 * @param {(collection: Collection) => void} hooks.onUse
 * @param {() => void} hooks.onDrop a file comes, whatever is searched now
 * @param {(error: unknown) => void} hooks.onError
 */
export function connectOwnText({ onUse, onDrop, onError }) {
  let typing = 0;
  area.addEventListener('input', () => {
    title = text('search.own.title');
    clearTimeout(typing);
    typing = window.setTimeout(showCount, TYPING_PAUSE_MS);
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    attempt(onError, async () => onUse(ownCollection(area.value, title)));
  });
  picker.addEventListener('change', () => attempt(onError, () => takeFiles([...(picker.files ?? [])])));
  takeDroppedFiles(area, (files) => {
    onDrop();
    attempt(onError, () => takeFiles(files));
  });
  whenRestored(() => area.value !== '' && showCount());
}

/** @param {boolean} visible */
export function showOwnText(visible) {
  form.hidden = !visible;
}

/** @param {File[]} files of several, each stands under its name */
async function takeFiles(files) {
  const texts = await readTextFiles(files);
  const [only] = texts;
  if (only === undefined) return;
  area.value = texts.length === 1 ? only : texts.map((each, i) => `# ${files[i]?.name}\n\n${each}`).join('\n\n');
  title = texts.length === 1 ? files[0]?.name ?? '' : text('search.own.files', { n: files.length });
  showCount();
}

function showCount() {
  byId('collection-trouble', HTMLElement).replaceChildren();
  const count = splitText(area.value, title).length;
  const over = count > MOST_PASSAGES ? [text('search.most', { n: MOST_PASSAGES })] : [];
  const said = [`${text('search.passages', { n: count })}.`, ...over, text('search.stays')];
  note.textContent = count === 0 ? '' : said.join(' ');
  use.disabled = count === 0 || count > MOST_PASSAGES;
}

/**
 * @param {(error: unknown) => void} onError
 * @param {() => Promise<void>} work
 */
function attempt(onError, work) {
  work().catch(onError);
}
