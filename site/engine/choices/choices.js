/**
 * The choices of a plan: dispatches that can be played in several ways, of which each device has its fastest. One
 * decision is taken for all dispatches of a family.
 */

/** @typedef {import('../json_reader.js').JsonReader} JsonReader */
/** @typedef {import('../plan.js').GridSize} GridSize */
/** @typedef {Record<string, string[]>} Choices family -> the names of its ways, the default first */
/** @typedef {Record<string, string>} Picks family -> the way to play; the default for a family that is not here */
/** @typedef {{ kernel: number, grid: [GridSize, GridSize, GridSize] }} Way */
/** @typedef {{ family: string | null, ways: Way[] }} Ways a family's ways in the order of its names */

const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const MOST_WAYS = 16;

/** @param {JsonReader} reader of a family's names @returns {string[]} */
function readNames(reader) {
  const names = reader.items().map((name) => name.matching(NAME, 'a name'));
  const different = new Set(names).size === names.length;
  return different && names.length > 1 && names.length <= MOST_WAYS
    ? names
    : reader.refuse(`is not 2 to ${MOST_WAYS} different names`);
}

/** @param {JsonReader} reader of the plan's choices, which may be absent @returns {Choices} */
export function readChoices(reader) {
  const families = reader.optional((field) => field.entries()) ?? [];
  for (const [family] of families) if (!NAME.test(family)) reader.refuse(`has the family "${family}", not a name`);
  return Object.fromEntries(families.map(([family, names]) => [family, readNames(names)]));
}

/**
 * @param {JsonReader} reader of a dispatch
 * @param {Choices} choices
 * @param {(reader: JsonReader) => Way} readWay
 * @returns {Ways}
 */
export function readWays(reader, choices, readWay) {
  const own = readWay(reader);
  const [choice, or] = ['choice', 'or'].map((key) => reader.field(key));
  const family = choice.optional((field) => field.oneOf(Object.keys(choices)));
  const others = or.optional((field) => field.items().map(readWay)) ?? [];
  const wanted = family === null ? 0 : choices[family].length - 1;
  if (others.length !== wanted || (family === null && or.value !== undefined)) or.refuse(`has ${others.length} ways, not ${wanted}`);
  return { family, ways: [own, ...others] };
}

/** @param {Ways} of @param {Choices} choices @param {Picks} picks @returns {Way} */
export function wayOf({ family, ways }, choices, picks) {
  return family !== null && Object.hasOwn(picks, family) ? ways[choices[family].indexOf(picks[family])] : ways[0];
}

/**
 * @param {import('../plan.js').Plan} plan
 * @param {Picks} picks what is decided; of other families all ways are wanted
 * @returns {Set<number>} the kernels that are to be compiled
 */
export function kernelsOf({ phases, choices }, picks) {
  const calls = Object.values(phases).flat().flatMap((dispatch) => [dispatch, dispatch.few ?? dispatch]);
  const kernels = calls.flatMap((call) => {
    const open = call.family !== null && !Object.hasOwn(picks, call.family);
    return (open ? call.ways : [wayOf(call, choices, picks)]).map(({ kernel }) => kernel);
  });
  return new Set(kernels);
}
