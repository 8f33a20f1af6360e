/** A share as a bar that only eyes read: its number stands beside it. */

import { element } from '../dom.js';
import { formatPercent } from '../format.js';

/**
 * @param {number} part
 * @param {number} whole
 */
export function shareBar(part, whole) {
  const fill = element('div', { class: 'fill' });
  fill.style.setProperty('--share', `${(100 * part) / Math.max(1, whole)}%`);
  return element('div', { class: 'track', 'aria-hidden': 'true' }, fill);
}

/**
 * @param {number} part
 * @param {number} whole
 */
export function shareInWords(part, whole) {
  const share = part / Math.max(1, whole);
  return share > 0 && share < 0.01 ? `< ${formatPercent(0.01)}` : formatPercent(share);
}
