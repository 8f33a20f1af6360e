/** Rows of what is kept, each with its way to go. */

import { button, element } from '../dom.js';
import { formatBytes, formatDay } from '../format.js';
import { text } from '../texts.js';

/** @typedef {import('../../engine/index.js').KeptModel} KeptModel */
/** @typedef {import('./kept_things.js').Thing} Thing */

/**
 * @param {KeptModel} model
 * @param {() => void} onDelete
 */
export function modelRow(model, onDelete) {
  const { title, usedAt, bytes, keptBytes } = model;
  const { pathname } = new URL(model.url);
  const isWhole = keptBytes >= bytes;
  const size = isWhole ? formatBytes(bytes) : text('storage.part', { kept: formatBytes(keptBytes), size: formatBytes(bytes) });
  const used = text('storage.lastUsed', { day: formatDay(usedAt) });
  const bar = isWhole ? [] : [element('progress', { max: bytes, value: keptBytes, 'aria-hidden': 'true' })];
  return row(
    element('h3', { translate: 'no' }, title),
    [
      element('p', { class: 'note numbers' }, `${size} · ${used}`),
      element('p', { class: 'code', translate: 'no' }, pathname),
      ...(pathname.endsWith('/runtime/') ? [element('p', { class: 'note' }, text('storage.runtime'))] : []),
      ...bar,
    ],
    deleteButton(title, onDelete),
  );
}

/**
 * @param {Thing} thing
 * @param {() => void} onDelete
 */
export function thingRow({ title, page, what }, onDelete) {
  const heading = element('h3', {}, page === undefined ? title : element('a', { href: page }, title));
  return row(heading, [element('p', { class: 'note numbers' }, what)], deleteButton(title, onDelete));
}

/**
 * @param {HTMLElement} heading
 * @param {HTMLElement[]} facts
 * @param {HTMLElement} remove
 */
function row(heading, facts, remove) {
  return element('li', {}, element('div', {}, heading, ...facts), remove);
}

/**
 * @param {string} title
 * @param {() => void} onDelete
 */
function deleteButton(title, onDelete) {
  const label = text('delete');
  return button(label, onDelete, { class: 'quiet', 'aria-label': `${label}: ${title}` });
}
