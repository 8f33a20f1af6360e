/** The known answer of an encoder: the first row of its output for one text. */

import { encodeAll, mostTokens } from './encode.js';
import { PlanInvalidError } from './errors.js';

/** @param {'embedding' | 'logits'} output @param {boolean} [rows] whether the plan wants to be told them @returns {import('./canary.js').Answer} */
export function answerOf(output, rows = false) {
  return async (session, ids, signal) => {
    const { dimensions, labels, vocabulary, task } = session.manifest;
    const [classes, embedded] = [labels ?? [], dimensions ?? 0];
    const width = output === 'embedding' ? embedded : rows ? vocabulary : classes.length;
    if (ids.length > mostTokens(session)) throw new PlanInvalidError(`The plan of ${task} reads less than the canary has`);
    /** @type {import('./encode.js').Reading<{ ids: number[], rows?: number[] }, Float32Array>} */
    const reading = { output, words: () => width, results: (_, values) => [values] };
    const item = rows ? { ids, rows: [0] } : { ids };
    return { rows: await encodeAll(session, [item], reading, signal), picked: null };
  };
}
