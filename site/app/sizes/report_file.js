/** The files of a report beside a model: report.json, and where somebody has put one there, a whole report as a page. */

import { SiteError } from '../catalogue.js';
import { formatBytes } from '../format.js';
import { text } from '../texts.js';
import { readReport } from './size_report.js';

/** @typedef {import('../catalogue.js').Entry} Entry */

/** A full report of the largest models has some 10 MB. */
const MOST_BYTES = 64e6;
/** Without a network, what the browser has had. @type {RequestInit} */
const LAST = { cache: 'force-cache' };

/**
 * @param {Entry} entry
 * @returns {Promise<import('./size_report.js').SizeReport>}
 * @throws {SiteError} SITE_UNREACHABLE, SITE_FILE_MISSING, SITE_FILE_INVALID
 */
export async function fetchReport({ url, manifest }) {
  const address = addressOf(url, 'report.json');
  const response = await fetch(address).catch(() => fetch(address, LAST)).catch(() => {
    throw new SiteError('SITE_UNREACHABLE', text('site.noAnswer', { url: address }));
  });
  if (!response.ok) throw new SiteError('SITE_FILE_MISSING', text('site.status', { status: response.status, url: address }));
  return readReport(parsed(await bodyOf(response, address), address), address, manifest.name);
}

/**
 * @param {Entry} entry
 * @returns {string | null} the address of the whole report, null where there is none
 */
export function wholeReport({ url, reportPage }) {
  return reportPage === true ? addressOf(url, 'report.html') : null;
}

/** @param {string} url of the model's folder @param {string} name */
function addressOf(url, name) {
  return `${url.replace(/\/*$/, '/')}${name}`;
}

/** @param {Response} response @param {string} url @returns {Promise<string>} */
async function bodyOf(response, url) {
  const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
  const decoder = new TextDecoder();
  let bytes = 0;
  let words = '';
  for (;;) {
    const { done, value } = await reader.read().catch(() => {
      throw new SiteError('SITE_UNREACHABLE', text('site.noAnswer', { url }));
    });
    if (done) return words + decoder.decode();
    bytes += value.length;
    if (bytes > MOST_BYTES) {
      void reader.cancel();
      throw new SiteError('SITE_FILE_INVALID', text('sizes.tooLong', { url, limit: formatBytes(MOST_BYTES) }));
    }
    words += decoder.decode(value, { stream: true });
  }
}

/** @param {string} words @param {string} url @returns {unknown} */
function parsed(words, url) {
  try {
    return JSON.parse(words);
  } catch {
    throw new SiteError('SITE_FILE_INVALID', text('site.notJson', { url }));
  }
}
