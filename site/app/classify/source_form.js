/** The form in which visitors bring many texts: typed or pasted, one a line, or a file with lines, a table or JSON objects. */

import { announce } from '../announcer.js';
import { button, byId, element, whenRestored } from '../dom.js';
import { takeDroppedFiles } from '../file_drop.js';
import { readTextFiles } from '../text_files.js';
import { text as say } from '../texts.js';
import { likelyColumn, linesOf, MOST_TEXTS, tableOf, textsIn } from './text_table.js';

/** @typedef {import('./text_table.js').TextTable} TextTable */

const typed = byId('typed', HTMLElement);
const area = byId('lines', HTMLTextAreaElement);
const picker = byId('lines-file', HTMLInputElement);
const samples = byId('lines-samples', HTMLElement);
const chosen = byId('chosen-file', HTMLElement);
const fileName = byId('file-name', HTMLElement);
const columnField = byId('column-field', HTMLElement);
const column = byId('column', HTMLSelectElement);
const namesField = byId('names-field', HTMLElement);
const names = byId('names', HTMLInputElement);
const note = byId('lines-note', HTMLElement);

/** A browser takes seconds to type in what is longer, and answers nothing meanwhile. */
const LONG_PASTE = 20_000;
/** To count long texts takes a moment. */
const TYPING_PAUSE_MS = 150;

/** @type {TextTable | null} */
let table = null;

/**
 * @param {object} hooks
 * @param {() => void} hooks.onChange there are other texts
 * @param {() => boolean} hooks.onDrop a file comes, whichever form is open; false where there is no use for it
 * @param {(error: unknown) => void} hooks.onError
 */
export function connectSource({ onChange, onDrop, onError }) {
  let typing = 0;
  /** @param {() => void} change */
  const after = (change) => () => {
    change();
    onChange();
  };
  /** @param {File | undefined} file */
  const take = async (file) => {
    if (file) await takeFile(file).then(onChange, onError);
    picker.value = '';
  };
  area.addEventListener('input', () => {
    clearTimeout(typing);
    typing = window.setTimeout(after(showCount), TYPING_PAUSE_MS);
  });
  area.addEventListener('paste', pasteLong);
  column.addEventListener('change', after(showCount));
  names.addEventListener('change', after(nameColumns));
  byId('file-away', HTMLButtonElement).addEventListener('click', after(putFileAway));
  picker.addEventListener('change', () => take(picker.files?.[0]));
  takeDroppedFiles(area, ([file]) => onDrop() && take(file));
  whenRestored(showCount);
}

/** @returns {string[]} */
export function broughtTexts() {
  if (table === null) return linesOf(area.value).slice(0, MOST_TEXTS);
  return textsIn(table, Number(column.value), names.checked && table.mayBeginWithNames);
}

export function focusSource() {
  (table === null ? area : column).focus();
}

/** @param {string[]} texts to try */
export function offerLines(texts) {
  const fill = () => {
    area.value = texts.join('\n');
    area.dispatchEvent(new Event('input'));
    area.focus();
  };
  samples.replaceChildren(...(texts.length === 0 ? [] : [button(say('lines.samples'), fill, { class: 'quiet' })]));
}

/** @param {ClipboardEvent} event */
function pasteLong(event) {
  const text = event.clipboardData?.getData('text/plain') ?? '';
  if (text.length < LONG_PASTE) return;
  event.preventDefault();
  area.setRangeText(text, area.selectionStart, area.selectionEnd, 'end');
  area.dispatchEvent(new Event('input'));
}

/** @param {File} file */
async function takeFile(file) {
  const [content] = await readTextFiles([file]);
  const read = tableOf(file.name, content ?? '');
  table = read;
  fileName.textContent = file.name;
  names.checked = read.columns.length > 1;
  namesField.hidden = !read.mayBeginWithNames;
  columnField.hidden = read.columns.length < 2;
  nameColumns();
  column.value = String(likelyColumn(read));
  showSource();
  byId('file-away', HTMLButtonElement).focus();
}

function putFileAway() {
  table = null;
  showSource();
  area.focus();
}

/** The columns, by their names or by their numbers. */
function nameColumns() {
  const before = column.value;
  const named = names.checked || !table?.mayBeginWithNames;
  const options = (table?.columns ?? []).map((name, i) =>
    element('option', { value: i }, (named && name) || say('lines.column.number', { place: i + 1 })),
  );
  column.replaceChildren(...options);
  column.value = before === '' ? '0' : before;
  showCount();
}

function showSource() {
  typed.hidden = table !== null;
  chosen.hidden = table === null;
  showCount();
}

function showCount() {
  const n = broughtTexts().length;
  const full = n === MOST_TEXTS ? [say('lines.most', { n: MOST_TEXTS })] : [];
  note.textContent = n === 0 ? '' : [`${say('lines.count', { n })}.`, ...full, say('lines.stay')].join(' ');
  if (table !== null) announce(note.textContent);
}
