/** A score as a number and as a bar. */

import { element } from './dom.js';
import { formatHundredths } from './format.js';

/**
 * @param {number} score the bar shows 0 to 1 of it
 * @param {string} name what it is, for screen readers
 * @param {string} title what it means
 */
export function scoreBar(score, name, title) {
  const fill = element('div', { class: 'fill' });
  fill.style.setProperty('--score', `${Math.round(100 * Math.min(1, Math.max(0, score)))}%`);
  const number = element('span', { title }, element('span', { class: 'visually-hidden' }, `${name} `), formatHundredths(score));
  return element('div', { class: 'score' }, number, element('div', { class: 'track', 'aria-hidden': 'true' }, fill));
}
