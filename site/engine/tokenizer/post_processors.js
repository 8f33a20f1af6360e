/** Post-processors of a tokenizer.json: what they put around the ids of a text. */

/** @typedef {import('./normalizers.js').Part} Part */
/** @typedef {(ids: number[]) => number[]} PostProcess */

/** @param {Part} part @returns {PostProcess} */
function template({ single, special_tokens: special }) {
  const pieces = /** @type {Part[]} */ (single);
  return (ids) => pieces.flatMap(({ SpecialToken: token, Sequence: sequence }) => {
    if (sequence) return ids;
    return special[token.id].ids;
  });
}

/** @param {Part} part @returns {PostProcess} */
function around({ cls, sep }) {
  return (ids) => [cls[1], ...ids, sep[1]];
}

/** @type {Record<string, (part: Part) => PostProcess>} */
const KINDS = {
  BertProcessing: around,
  ByteLevel: () => (ids) => ids,
  RobertaProcessing: around,
  Sequence: ({ processors }) => {
    const steps = /** @type {Part[]} */ (processors).map(makePostProcessor);
    return (ids) => steps.reduce((out, step) => step(out), ids);
  },
  TemplateProcessing: template,
};

/** @param {Part | null | undefined} part @returns {PostProcess} */
export function makePostProcessor(part) {
  if (!part) return (ids) => ids;
  if (!Object.hasOwn(KINDS, part.type)) throw new Error(`no post-processor "${part.type}" is known`);
  return KINDS[part.type](part);
}
