/** The form in which visitors bring a text of their own: typed, pasted, chosen or dropped. */

import { MOST_PASSAGES, ownCollection, readTextFile } from './collections.js';
import { byId } from './dom.js';
import { splitText } from './splitting.js';
import { text } from './texts.js';

/** @typedef {import('./collections.js').Collection} Collection */

const form = byId('own', HTMLFormElement);
const area = byId('own-text', HTMLTextAreaElement);
const picker = byId('own-file', HTMLInputElement);
const use = byId('own-use', HTMLButtonElement);
const note = byId('own-note', HTMLElement);

let title = text('search.own.title');

/**
 * @param {object} hooks
 * @param {(collection: Collection) => void} hooks.onUse
 * @param {(error: unknown) => void} hooks.onError
 */
export function connectOwnText({ onUse, onError }) {
  area.addEventListener('input', () => {
    title = text('search.own.title');
    showCount();
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    attempt(onError, async () => onUse(ownCollection(area.value, title)));
  });
  picker.addEventListener('change', () => attempt(onError, () => takeFile(picker.files?.[0])));
  connectDrop(onError);
}

/** @param {boolean} visible */
export function showOwnText(visible) {
  form.hidden = !visible;
}

/** @param {(error: unknown) => void} onError */
function connectDrop(onError) {
  for (const type of ['dragenter', 'dragover', 'dragleave', 'drop']) {
    area.addEventListener(type, (event) => {
      event.preventDefault();
      area.classList.toggle('dropping', type === 'dragenter' || type === 'dragover');
    });
  }
  area.addEventListener('drop', (event) => attempt(onError, () => takeDrop(event.dataTransfer)));
}

/** @param {DataTransfer | null} data a file, or text dragged from elsewhere */
async function takeDrop(data) {
  const file = data?.files[0];
  if (file) return takeFile(file);
  area.value = data?.getData('text/plain') ?? '';
  showCount();
}

/** @param {File | undefined} file */
async function takeFile(file) {
  if (file === undefined) return;
  area.value = await readTextFile(file);
  title = file.name;
  showCount();
}

function showCount() {
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
