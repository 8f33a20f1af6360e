/** How much room this site takes and may take, and whether the browser keeps it for good. */

import { announce } from '../announcer.js';
import { button, byId, element } from '../dom.js';
import { formatBytes } from '../format.js';
import { estimateRoom } from '../room.js';
import { text } from '../texts.js';

/** @param {HTMLElement} root */
export async function showRoom(root) {
  root.replaceChildren(...(await use()), ...(await persistence(root)));
  root.removeAttribute('aria-busy');
}

async function use() {
  const room = await estimateRoom();
  if (room === null) return [element('p', {}, text('storage.unknown'))];
  const { used, allowed } = room;
  const words = text('storage.used', { used: formatBytes(used), quota: formatBytes(allowed) });
  return [
    element('p', { class: 'used numbers' }, words),
    element('meter', { min: 0, max: allowed, value: used, high: allowed * 0.9, 'aria-label': text('storage.share') }),
  ];
}

/** @param {HTMLElement} root */
async function persistence(root) {
  const isLasting = await attempt(() => navigator.storage.persisted());
  if (isLasting === null) return [];
  if (isLasting) return [element('p', { class: 'note' }, text('storage.lasting'))];
  const ask = button(text('storage.persist'), () => askToKeep(root), { class: 'quiet' });
  return [element('p', { class: 'note' }, text('storage.fleeting')), element('p', { class: 'row' }, ask)];
}

/** @param {HTMLElement} root */
async function askToKeep(root) {
  const isLasting = await attempt(() => navigator.storage.persist());
  await showRoom(root);
  const answer = isLasting ? text('storage.lasting') : text('storage.refused');
  if (!isLasting) root.append(element('p', { class: 'note' }, answer));
  byId('room-title', HTMLElement).focus();
  announce(answer);
}

/**
 * @param {() => Promise<boolean>} ask
 * @returns {Promise<boolean | null>} null where the browser has no such thing
 */
async function attempt(ask) {
  try {
    return await ask();
  } catch {
    return null;
  }
}
