/** Brings the files of a model's tokenizer, and the file of a chat template that is carried. */

import { parseJson } from '../http.js';
import { filesOf } from '../manifest.js';
import { TextTokenizer } from '../tokenizer.js';
import { bringWhole } from '../transfer/bring.js';

/**
 * @typedef {object} Texts
 * @property {TextTokenizer} tokenizer
 * @property {unknown} chatTemplate what the file holds that carries it; null where it is data, or absent
 */

/**
 * @param {{ base: string, manifest: import('../manifest.js').Manifest }} request
 * @param {import('../transfer/supply.js').Supply} supply
 * @returns {Promise<Texts>}
 */
export async function fetchTokenizer({ base, manifest }, supply) {
  const read = filesOf(manifest, 'tokenizer').map(async (file) =>
    /** @type {const} */ ([file.file, parseJson(await bringWhole(file, supply), base + file.file)]));
  const files = new Map(await Promise.all(read));
  const json = files.get('tokenizer.packed.json') ?? files.get('tokenizer.json');
  const config = files.get('tokenizer_config.json') ?? json;
  const chat = manifest.generation?.chat;
  return {
    tokenizer: await TextTokenizer.open(json, config, manifest.vocabulary),
    chatTemplate: chat && 'template' in chat ? files.get(chat.template) : null,
  };
}
