/** An error on the page: what happened, why, and the next step. */

import { SiteError } from './catalogue.js';
import { button, element } from './dom.js';
import { codeOf } from './error_code.js';
import { ENGLISH, problemOf, technicalLine } from './problems.js';

/**
 * @param {unknown} error
 * @param {() => void} [retry]
 */
export function problemPanel(error, retry) {
  const code = codeOf(error);
  const problem = problemOf(code);
  const panel = element(
    'section',
    { class: 'problem', role: 'alert' },
    element('h3', {}, problem.title),
    element('p', {}, problem.why),
    element('p', {}, problem.next),
    detail(code, error),
  );
  if (retry && problem.again) panel.append(element('p', { class: 'row' }, button(problem.again, retry)));
  return panel;
}

/**
 * The exact fault: in the engine's own English, or in the page's language where the page itself found it.
 * @param {string} code
 * @param {unknown} error
 */
function detail(code, error) {
  const words = technicalLine(code, error instanceof Error ? error.message : String(error));
  return element('p', error instanceof SiteError ? { class: 'code' } : ENGLISH, words);
}
