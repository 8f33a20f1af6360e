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

/** @param {Part} model its vocabulary may be packed: a separator, then all tokens by id @returns {Map<string, number>} */
export function vocabOf({ vocab }) {
  if (typeof vocab !== 'string') return new Map(Object.entries(vocab));
  return new Map(vocab.slice(1).split(vocab[0]).map((token, id) => [token, id]));
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
