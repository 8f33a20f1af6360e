/** Reads a manifest's `canary`: what a model must answer to a few ids (exporter/artifact/FORMAT.md). */

/** @typedef {import('./json_reader.js').JsonReader} JsonReader */
/** @typedef {import('./manifest.js').Manifest} Manifest */
/** @typedef {{ index: number, value: number }} Expected */
/**
 * @typedef {object} Canary
 * @property {number[]} ids
 * @property {number} scale above the magnitude of every value of the rows, and at most twice the largest
 * @property {Expected[][]} rows of the output; of each the largest values
 */

const MOST_IDS = 64;
const MOST_VALUES = 64;
/** Values are whole numbers of so many bits, times a power of two. */
const BITS = 10;
/** Of a scale that float32 can hold, with room for twice as much. */
const EXPONENTS = /** @type {const} */ ([-126, 126]);

/** @param {JsonReader} reader @param {number} step @param {number} width @returns {Expected[]} */
function readRow(reader, step, width) {
  const values = reader.items().map((pair) => {
    const parts = pair.items();
    if (parts.length !== 2) pair.refuse('is not [index, value]');
    return { index: parts[0].integer(0, width - 1), value: parts[1].integer(-(2 ** BITS), 2 ** BITS) * step };
  });
  const isFit = values.length > 0 && values.length <= MOST_VALUES;
  return isFit ? values : reader.refuse(`has ${values.length} values, outside 1 to ${MOST_VALUES}`);
}

/** @param {Manifest} manifest @returns {{ width: number, rows: number }} of the output */
function shapeOf({ task, dimensions, labels, vocabulary }) {
  const rows = task === 'text-generation' ? 2 : 1;
  if (task === 'sentence-embedding') return { width: dimensions ?? 0, rows };
  return { width: labels && task.endsWith('-classification') ? labels.length : vocabulary, rows };
}

/** @param {JsonReader} reader @param {Manifest} manifest @returns {Canary} */
export function readCanary(reader, manifest) {
  const shape = shapeOf(manifest);
  const ids = reader.field('ids').items().map((id) => id.integer(0, manifest.vocabulary - 1));
  const most = Math.min(MOST_IDS, manifest.context);
  if (ids.length < shape.rows || ids.length > most) reader.field('ids').refuse(`are not ${shape.rows} to ${most}`);
  const scale = 2 ** reader.field('exponent').integer(...EXPONENTS);
  const rows = reader.field('rows').items().map((row) => readRow(row, scale / 2 ** BITS, shape.width));
  if (rows.length !== shape.rows) reader.field('rows').refuse(`are not ${shape.rows}`);
  return { ids, scale, rows };
}
