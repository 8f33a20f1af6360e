/** What this site keeps beside models, as rows that can be deleted. */

import { forgetConversations, readConversations } from '../chat/conversation_store.js';
import { countSets, forgetLabels, readLabels } from '../classify/label_store.js';
import { formatBytes } from '../format.js';
import { countVectors, forgetVectors } from '../kept_vectors.js';
import { text } from '../texts.js';
import { forgetSettings, settingNames } from './kept_settings.js';

/**
 * @typedef {object} Thing
 * @property {string} title
 * @property {string} [page] where it is used
 * @property {string} what
 * @property {() => Promise<void>} forget
 */

/** @returns {Promise<Thing[]>} those of which there is anything */
export async function keptThings() {
  return (await Promise.all([conversations(), labels(), vectors(), settings()])).flat();
}

/** @returns {Promise<Thing[]>} */
async function conversations() {
  const { length } = await readConversations();
  if (length === 0) return [];
  const what = text('storage.conversations', { n: length });
  return [{ title: text('chat.conversations'), page: 'chat.html', what, forget: forgetConversations }];
}

/** @returns {Promise<Thing[]>} */
async function labels() {
  const [latest, named] = await Promise.all([readLabels(), countSets()]);
  const written = latest?.labels.length ?? 0;
  if (written + named === 0) return [];
  const labels = written === 0 ? [] : [text('storage.labels.what', { n: written })];
  const sets = named === 0 ? [] : [text('storage.labels.sets', { n: named })];
  const what = [...labels, ...sets].join(' · ');
  return [{ title: text('storage.labels'), page: 'classify.html', what, forget: forgetLabels }];
}

/** @returns {Promise<Thing[]>} */
async function vectors() {
  const { collections, bytes } = await countVectors();
  if (collections === 0) return [];
  const what = text('storage.vectors.what', { n: collections, size: formatBytes(bytes) });
  return [{ title: text('storage.vectors'), page: 'search.html', what, forget: forgetVectors }];
}

/** @returns {Thing[]} */
function settings() {
  if (settingNames().length === 0) return [];
  const forget = async () => forgetSettings();
  return [{ title: text('storage.settings'), what: text('storage.settings.what'), forget }];
}
