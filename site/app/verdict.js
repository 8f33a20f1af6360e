/** Whether a model runs on this device, and if not, which number is in the way. */

import { element } from './dom.js';
import { codeOf } from './error_code.js';
import { formatBytes, formatNumber } from './format.js';
import { ENGLISH, problemOf, technicalLine } from './problems.js';
import { text } from './texts.js';

/** @typedef {import('../engine/index.js').Verdict} Verdict */

/** Limits below this are counts of things, those above are sizes. */
const SMALLEST_SIZE = 4096;

/** @param {Verdict} verdict */
export function verdictView(verdict) {
  if (verdict.ok) return [element('p', { class: 'verdict good' }, text('verdict.good')), ...processorNote(verdict)];
  return refusal(verdict.code ?? '', verdict.reason ?? '', numbers(verdict));
}

/** @param {Verdict} verdict */
function processorNote({ backend }) {
  if (backend !== 'wasm') return [];
  return [element('p', { class: 'note' }, text('verdict.processor'))];
}

/** @param {unknown} error */
export function problemVerdict(error) {
  return refusal(codeOf(error), error instanceof Error ? error.message : '', '');
}

/** @param {Verdict} verdict */
function numbers({ needed, available }) {
  if (needed === null || available === null) return '';
  return `${text('verdict.numbers', { needed: amount(needed), available: amount(available) })} `;
}

/** @param {number} value */
function amount(value) {
  return value < SMALLEST_SIZE ? formatNumber(value) : formatBytes(value);
}

/**
 * @param {string} code
 * @param {string} reason
 * @param {string} limits
 */
function refusal(code, reason, limits) {
  const problem = problemOf(code);
  return [
    element('p', { class: 'verdict bad' }, text('verdict.bad', { why: problem.title })),
    element('p', { class: 'verdict-reason' }, limits, problem.next),
    element('p', ENGLISH, technicalLine(code, reason)),
  ];
}
