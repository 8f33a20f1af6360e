/** What one text is: its label, and how every label was scored. */

import { announce } from '../announcer.js';
import { byId, element } from '../dom.js';
import { formatDuration, formatHundredths } from '../format.js';
import { scoreBar } from '../score_bar.js';
import { text as say } from '../texts.js';
import { labelGiven } from './sorted_texts.js';

/**
 * @typedef {import('./sorters.js').Scored} Scored
 * @typedef {{ name: string, title: string }} ScoreWords what a score is called, and what it means
 */

const MOST_SHOWN = 10;
const given = byId('given', HTMLElement);
const time = byId('time', HTMLElement);
const list = byId('ranked', HTMLOListElement);

/**
 * @param {Scored[]} ranked the best first
 * @param {number} least
 * @param {ScoreWords} words
 */
export function showAnswer(ranked, least, words) {
  const label = labelGiven(ranked[0], least);
  given.replaceChildren(label ?? say('classify.none'));
  given.classList.toggle('absent', label === null);
  given.translate = label === null;
  given.hidden = ranked.length === 0;
  list.replaceChildren(...ranked.slice(0, MOST_SHOWN).map((scored, i) => rankedItem(scored, i === 0 && label !== null, words)));
  list.removeAttribute('aria-busy');
}

/** @param {number} milliseconds */
export function showTime(milliseconds) {
  time.textContent = say('classify.time', { time: formatDuration(milliseconds) });
}

/**
 * Says the answer to those who do not see it.
 * @param {Scored[]} ranked
 * @param {number} least
 * @param {ScoreWords} words
 */
export function announceAnswer([best], least, words) {
  if (best) announce(`${labelGiven(best, least) ?? say('classify.none')}. ${words.name}: ${formatHundredths(best.score)}`);
}

export function awaitAnswer() {
  list.setAttribute('aria-busy', 'true');
}

export function clearAnswer() {
  given.hidden = true;
  time.textContent = '';
  list.replaceChildren();
  list.removeAttribute('aria-busy');
}

/**
 * @param {Scored} scored
 * @param {boolean} chosen
 * @param {ScoreWords} words
 */
function rankedItem({ label, score }, chosen, { name, title }) {
  const text = element('p', { class: 'text', translate: 'no' }, label);
  return element('li', { class: chosen ? 'result' : 'result faint' }, scoreBar(score, name, title), text);
}
