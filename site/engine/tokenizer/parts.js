/** Code that only some tokenizers need, fetched for those. */

/** @typedef {import('./normalizers.js').Part} Part */
/** @typedef {{ vocab: Map<string, number>, encode: (word: string) => number[] }} Model */
/**
 * @typedef {object} Parts
 * @property {(new (model: Part) => Model) | null} Model null where the type is unknown
 * @property {typeof import('./charsmap.js').Charsmap | null} Charsmap null where no normalizer is precompiled
 */

/** @type {Record<string, () => Promise<new (model: Part) => Model>>} */
const MODELS = {
  BPE: async () => (await import('./bpe.js')).BytePairEncoding,
  Unigram: async () => (await import('./unigram.js')).Unigram,
  WordLevel: async () => (await import('./word_piece.js')).WordLevel,
  WordPiece: async () => (await import('./word_piece.js')).WordPiece,
};

/** @param {Part} json tokenizer.json, not yet believed @returns {string} */
export function modelType(json) {
  return String(Object(Object(json).model).type ?? 'BPE');
}

/** @param {Part} model whose vocabulary may be packed @returns {Map<string, number>} */
export function vocabOf({ vocab }) {
  return new Map(typeof vocab === 'string' ? tokensOf(vocab).map((token, id) => [token, id]) : Object.entries(vocab));
}

/** @param {string} packed a separator, then all tokens by id @returns {string[]} */
export function tokensOf(packed) {
  return packed.slice(1).split(packed[0]);
}

/** @param {Part} json tokenizer.json, not yet believed @returns {Promise<Parts>} */
export async function partsOf(json) {
  const type = modelType(json);
  const isPrecompiled = JSON.stringify(Object(json).normalizer ?? null).includes('"Precompiled"');
  const [Model, Charsmap] = await Promise.all([
    Object.hasOwn(MODELS, type) ? MODELS[type]() : null,
    isPrecompiled ? import('./charsmap.js').then((module) => module.Charsmap) : null,
  ]);
  return { Model, Charsmap };
}
