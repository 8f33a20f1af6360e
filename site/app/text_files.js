/** Files of a visitor, read as text. */

import { SiteError } from './catalogue.js';
import { formatBytes } from './format.js';
import { text as say } from './texts.js';

const MOST_FILE_BYTES = 4e6;

/**
 * @param {File[]} files
 * @returns {Promise<string[]>}
 * @throws {SiteError} TEXT_TOO_LARGE, TEXT_UNREADABLE
 */
export async function readTextFiles(files) {
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  if (bytes > MOST_FILE_BYTES) {
    const [size, limit] = [bytes, MOST_FILE_BYTES].map(formatBytes);
    throw new SiteError('TEXT_TOO_LARGE', say('site.tooLarge', { name: files.map(({ name }) => name).join(', '), size, limit }));
  }
  return Promise.all(files.map(readTextFile));
}

/** @param {File} file @returns {Promise<string>} */
async function readTextFile(file) {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await file.arrayBuffer());
  } catch {
    throw new SiteError('TEXT_UNREADABLE', say('site.notText', { name: file.name }));
  }
}
