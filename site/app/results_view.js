/** The ranked list, and moving through it with the keyboard. */

import { button, element } from './dom.js';
import { scoreBar } from './score_bar.js';
import { text as say } from './texts.js';

/**
 * @typedef {import('./passage_index.js').Hit} Hit
 * @typedef {import('./collections.js').Passage} Passage
 */

/** Passages with a cosine below this have hardly anything to do with the question. */
const RELATED = 0.2;

/** @param {Hit} hit */
export function isRelated({ score }) {
  return score >= RELATED;
}

/**
 * Focus that was in the list stays there.
 * @param {HTMLOListElement} list
 * @param {Hit[]} hits
 * @param {(passage: Passage) => void} onSimilar
 */
export function showResults(list, hits, onSimilar) {
  const focused = list.contains(document.activeElement);
  const items = hits.map((hit) => resultItem(hit, onSimilar));
  list.replaceChildren(...items);
  if (focused) items[0]?.focus();
}

/**
 * Arrow keys go from the question into the list and through it; Home, End and Escape do what they say.
 * @param {HTMLInputElement} query
 * @param {HTMLOListElement} list
 */
export function connectKeys(query, list) {
  query.addEventListener('keydown', (event) => {
    if (event.key === 'ArrowDown') move(event, list.firstElementChild);
  });
  list.addEventListener('keydown', (event) => {
    const item = document.activeElement?.closest('li');
    if (!item || !list.contains(item)) return;
    if (event.key === 'ArrowDown') move(event, item.nextElementSibling);
    if (event.key === 'ArrowUp') move(event, item.previousElementSibling ?? query);
    if (event.key === 'Home') move(event, list.firstElementChild);
    if (event.key === 'End') move(event, list.lastElementChild);
    if (event.key === 'Escape') move(event, query);
  });
}

/**
 * @param {KeyboardEvent} event
 * @param {Element | null} target
 */
function move(event, target) {
  event.preventDefault();
  if (target instanceof HTMLElement) target.focus();
}

/**
 * @param {Hit} hit
 * @param {(passage: Passage) => void} onSimilar
 */
function resultItem(hit, onSimilar) {
  const { passage, score } = hit;
  const { lang } = passage;
  const text = element('p', { class: 'text', translate: 'no', lang: lang === '' ? false : lang }, passage.text);
  const similar = button(say('search.similar'), () => onSimilar(passage), { class: 'link' });
  return element(
    'li',
    { class: isRelated(hit) ? 'result' : 'result faint', tabindex: '-1' },
    scoreBar(score, say('search.closeness'), say('search.closeness.title')),
    text,
    element('footer', {}, element('span', { translate: 'no' }, passage.source), similar),
  );
}
