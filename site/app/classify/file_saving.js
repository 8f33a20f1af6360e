/** Files that the page hands to the visitor: made in the tab, sent nowhere. */

import { element } from '../dom.js';

/**
 * @param {string} name
 * @param {string} type MIME
 * @param {string} content
 */
export function saveFile(name, type, content) {
  const href = URL.createObjectURL(new Blob([content], { type }));
  element('a', { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 10_000);
}
