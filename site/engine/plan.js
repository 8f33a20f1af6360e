/** Reads and checks plan.<tier>.json (exporter/artifact/FORMAT.md), and works out its grids. */

import { readChoices, readWays } from './choices/choices.js';
import { PlanInvalidError } from './errors.js';
import { JsonReader } from './json_reader.js';
import { MEMORY_KEYS, readFeatures, readLimits, readMemory, TASKS } from './manifest.js';

/** @typedef {import('./manifest.js').Manifest} Manifest */
/** @typedef {import('./manifest.js').Tier} Tier */

export const STEP_WORDS = 8;
export const FEW_TOKENS = 8;
const SAMPLING_BYTES = 16;
/** WebGPU's bind offset alignment and grid limit that every device keeps to. */
const OFFSET_ALIGNMENT = 256;
const MAX_GRID = 65535;
const SYMBOLS = /** @type {const} */ (['tokens', 'past', 'sequences']);
const KINDS = /** @type {const} */ (
  ['weight', 'table', 'state', 'snapshot', 'activation', 'input', 'output', 'step', 'sampling']
);
const ROLES = ['key', 'value', 'conv', 'ssm'];
const GENERATION_PHASES = ['prefill', 'head', 'decode', 'sample'];
/** @type {Record<typeof KINDS[number], typeof MEMORY_KEYS[number]>} */
const MEMORY_OF_KIND = {
  weight: 'weights', table: 'tables', state: 'states', snapshot: 'states', activation: 'activations',
  input: 'io', output: 'io', step: 'io', sampling: 'io',
};

/** @typedef {typeof SYMBOLS[number]} SymbolName */
/** @typedef {Record<SymbolName, number>} Symbols */
/** @typedef {number | { of: SymbolName, times: number, per: number }} GridSize */
/** @typedef {{ shard: number, offset: number }} WeightRange */
/** @typedef {{ invFreq: number[], positions: number, scale: number }} RopeTable */
/**
 * @typedef {object} PlanBuffer
 * @property {string} name
 * @property {typeof KINDS[number]} kind
 * @property {number} bytes
 * @property {WeightRange | null} weight for kind `weight`
 * @property {RopeTable | null} rope for kind `table`
 * @property {string | null} role for kind `state`
 * @property {number | null} of for kind `snapshot`: the state that it keeps
 */
/** @typedef {{ shader: string, constants: Record<string, number> }} PlanKernel */
/** @typedef {{ binding: number, buffer: number, offset: number, bytes: number }} Binding */
/** @typedef {import('./choices/choices.js').Ways} Ways */
/** @typedef {Ways & { bind: Binding[], few: Ways | null }} Dispatch `few` is played where there are at most FEW_TOKENS */
/**
 * @typedef {object} Plan
 * @property {Tier} tier
 * @property {string[]} features
 * @property {import('./manifest.js').Limits} limits
 * @property {Symbols} symbols the largest value of each
 * @property {import('./manifest.js').Memory} memory
 * @property {Record<string, string>} shaders
 * @property {PlanBuffer[]} buffers
 * @property {PlanKernel[]} kernels
 * @property {import('./choices/choices.js').Choices} choices
 * @property {Record<string, Dispatch[]>} phases
 */

/** @param {JsonReader} reader @param {Manifest} manifest @param {number} bytes @returns {WeightRange} */
function readWeight(reader, manifest, bytes) {
  const shard = reader.field('shard').integer(0, manifest.shards.length - 1);
  const offset = reader.field('offset').integer(0);
  // The last tensor of a shard may end between words; the buffer then reaches up to 3 zero bytes past the shard.
  if (offset + bytes > Math.ceil(manifest.shards[shard].bytes / 4) * 4) reader.refuse('reaches past its shard');
  if (offset % 4 !== 0) reader.field('offset').refuse('is not a multiple of 4');
  return { shard, offset };
}

/** @param {JsonReader} reader @param {number} bytes @returns {RopeTable} */
function readRope(reader, bytes) {
  reader.field('table').oneOf(['rope']);
  const invFreq = reader.field('inv_freq').items().map((item) => item.number());
  const positions = reader.field('positions').integer(1);
  if (positions * invFreq.length * 8 !== bytes) reader.field('bytes').refuse('is not positions x frequencies x 8');
  return { invFreq, positions, scale: reader.field('scale').number() };
}

/** @param {JsonReader} reader @param {Manifest} manifest @returns {PlanBuffer} */
function readBuffer(reader, manifest) {
  const kind = reader.field('kind').oneOf(KINDS);
  const bytes = reader.field('bytes').integer(4);
  if (bytes % 4 !== 0) reader.field('bytes').refuse('is not a multiple of 4');
  return {
    name: reader.field('name').string(),
    kind,
    bytes,
    weight: kind === 'weight' ? readWeight(reader, manifest, bytes) : null,
    rope: kind === 'table' ? readRope(reader, bytes) : null,
    role: kind === 'state' ? reader.field('role').oneOf(ROLES) : null,
    of: kind === 'snapshot' ? reader.field('of').integer(0) : null,
  };
}

/** @param {JsonReader} reader @param {Record<string, string>} shaders @returns {PlanKernel} */
function readKernel(reader, shaders) {
  const shader = reader.field('shader').string();
  if (!Object.hasOwn(shaders, shader)) reader.field('shader').refuse(`is ${shader}, which the plan does not hold`);
  const constants = reader.field('constants').entries().map(([name, value]) => [name, value.number()]);
  return { shader, constants: Object.fromEntries(constants) };
}

/** @param {JsonReader} reader @param {PlanBuffer[]} buffers @returns {Binding} */
function readBinding(reader, buffers) {
  const parts = reader.items();
  if (parts.length !== 4) reader.refuse('is not [binding, buffer, offset, bytes]');
  const binding = parts[0].integer(0, 999);
  const buffer = parts[1].integer(0, buffers.length - 1);
  const offset = parts[2].integer(0);
  const bytes = parts[3].integer(4);
  if (offset % OFFSET_ALIGNMENT !== 0) parts[2].refuse(`is not a multiple of ${OFFSET_ALIGNMENT}`);
  if (offset + bytes > buffers[buffer].bytes) reader.refuse(`reaches past the buffer ${buffers[buffer].name}`);
  return { binding, buffer, offset, bytes };
}

/** @param {JsonReader} reader @param {Symbols} symbols @returns {GridSize} */
function readGridSize(reader, symbols) {
  if (typeof reader.value === 'number') return reader.integer(1, MAX_GRID);
  const size = {
    of: reader.field('of').oneOf(SYMBOLS),
    times: reader.field('times').integer(1),
    per: reader.field('per').integer(1),
  };
  const most = gridSize(size, symbols);
  if (most < 1 || most > MAX_GRID) reader.refuse(`is ${most} at most, outside 1 to ${MAX_GRID}`);
  return size;
}

/** @param {JsonReader} reader @param {Omit<Plan, 'phases'>} plan @returns {import('./choices/choices.js').Way} */
function readWay(reader, plan) {
  const grid = reader.field('grid').items().map((size) => readGridSize(size, plan.symbols));
  if (grid.length !== 3) reader.field('grid').refuse('is not [x, y, z]');
  return { kernel: reader.field('kernel').integer(0, plan.kernels.length - 1), grid: [grid[0], grid[1], grid[2]] };
}

/** @param {JsonReader} reader @param {Omit<Plan, 'phases'>} plan @returns {Dispatch} */
function readDispatch(reader, plan) {
  const ways = (/** @type {JsonReader} */ from) => readWays(from, plan.choices, (way) => readWay(way, plan));
  return {
    bind: reader.field('bind').items().map((binding) => readBinding(binding, plan.buffers)),
    ...ways(reader),
    few: reader.field('few').optional(ways),
  };
}

/** @param {Manifest['task']} task @returns {string[]} */
function phasesOf(task) {
  return task === 'text-generation' ? GENERATION_PHASES : ['encode'];
}

/**
 * @param {JsonReader} reader
 * @param {Omit<Plan, 'phases'>} plan
 * @param {Manifest} manifest
 * @returns {Plan['phases']}
 */
function readPhases(reader, plan, manifest) {
  const phases = phasesOf(manifest.task).map((name) => {
    const dispatches = reader.field(name).items().map((dispatch) => readDispatch(dispatch, plan));
    return [name, dispatches];
  });
  return Object.fromEntries(phases);
}

/** @param {JsonReader} reader @returns {number} */
function readSymbol(reader) {
  return reader.optional((field) => field.integer(0)) ?? 0;
}

/** @param {JsonReader} reader @param {Manifest} manifest @param {Tier} tier @returns {Omit<Plan, 'phases'>} */
function readParts(reader, manifest, tier) {
  const shaders = Object.fromEntries(
    reader.field('shaders').entries().map(([name, source]) => [name, source.string()]),
  );
  const symbols = /** @type {Symbols} */ (
    Object.fromEntries(SYMBOLS.map((name) => [name, readSymbol(reader.field('symbols').field(name))]))
  );
  if (symbols.tokens < 1) reader.field('symbols').refuse('allow no token');
  return {
    tier: reader.field('tier').oneOf([tier]),
    features: readFeatures(reader.field('features')),
    limits: readLimits(reader.field('limits')),
    symbols,
    memory: readMemory(reader.field('memory')),
    shaders,
    buffers: reader.field('buffers').items().map((buffer) => readBuffer(buffer, manifest)),
    kernels: reader.field('kernels').items().map((kernel) => readKernel(kernel, shaders)),
    choices: readChoices(reader.field('choices')),
  };
}

/** @param {JsonReader} reader @param {Plan} plan */
function checkMemory(reader, { buffers, memory }) {
  for (const key of MEMORY_KEYS) {
    const counted = buffers.filter(({ kind }) => key === 'total' || MEMORY_OF_KIND[kind] === key);
    const sum = counted.reduce((bytes, buffer) => bytes + buffer.bytes, 0);
    if (sum !== memory[key]) reader.field('memory').refuse(`says ${memory[key]} bytes of ${key}, its buffers ${sum}`);
  }
}

/** @param {JsonReader} reader @param {Plan} plan @param {Manifest} manifest */
function checkAgainstManifest(reader, plan, { task, plans, context }) {
  const { features, limits, memory } = /** @type {import('./manifest.js').PlanRecord} */ (plans[plan.tier]);
  const promised = JSON.stringify({ features, limits, memory });
  const found = JSON.stringify({ features: plan.features, limits: plan.limits, memory: plan.memory });
  if (promised !== found) reader.refuse(`needs ${found}, but the manifest says ${promised}`);
  const { past } = plan.symbols;
  if (task === 'text-generation' && context > past) reader.refuse(`caches ${past} tokens, not context ${context}`);
}

/** @param {Manifest} manifest @param {Symbols} symbols @returns {[string, number][]} name -> fewest bytes */
function neededBuffers(manifest, symbols) {
  const words = { ids: symbols.tokens, ...ioOf(manifest, symbols) };
  return Object.entries(words).map(([name, count]) => [name, count * 4]);
}

/** @param {Manifest} manifest @param {Symbols} symbols @returns {Record<string, number>} name -> words */
function ioOf({ task, dimensions, vocabulary, generation, labels }, { tokens, sequences }) {
  const bounds = sequences + 1;
  const classes = labels?.length ?? 0;
  switch (task) {
    case 'sentence-embedding': return { bounds, embedding: sequences * (dimensions ?? 0) };
    case 'text-classification': return { bounds, logits: sequences * classes };
    case 'token-classification': return { bounds, logits: tokens * classes };
    case 'fill-mask': return { bounds, rows: sequences, logits: sequences * vocabulary };
    case 'text-generation':
      return { stops: (generation?.stopIds.length ?? 0) + 1, logits: vocabulary, token: 1, ring: 1 };
  }
}

/** @param {JsonReader} reader @param {Plan} plan @param {Manifest} manifest */
function checkBuffers(reader, { buffers, symbols }, manifest) {
  for (const [name, bytes] of neededBuffers(manifest, symbols)) {
    const buffer = buffers.find((candidate) => candidate.name === name && isIo(candidate));
    if (!buffer || buffer.bytes < bytes) reader.field('buffers').refuse(`have no "${name}" of ${bytes} bytes or more`);
  }
  const steps = buffers.filter(({ kind, bytes }) => kind === 'step' && bytes === STEP_WORDS * 4);
  if (steps.length !== 1) reader.field('buffers').refuse(`do not hold one step of ${STEP_WORDS * 4} bytes`);
  const samplings = buffers.filter(({ kind, bytes }) => kind === 'sampling' && bytes === SAMPLING_BYTES);
  const wanted = manifest.task === 'text-generation' ? 1 : 0;
  if (samplings.length !== wanted) reader.field('buffers').refuse(`do not hold ${wanted} sampling buffer`);
}

/** @param {JsonReader} reader @param {PlanBuffer[]} buffers */
function checkSnapshots(reader, buffers) {
  const kept = buffers.filter(({ of }) => of !== null).map(({ of, bytes }) => {
    const state = buffers[Number(of)];
    if (state?.kind !== 'state' || state.bytes !== bytes) reader.field('buffers').refuse('have a snapshot of no such state');
    return of;
  });
  if (new Set(kept).size !== kept.length) reader.field('buffers').refuse('have two snapshots of one state');
}

/** @param {PlanBuffer} buffer */
function isIo({ kind }) {
  return kind === 'input' || kind === 'output';
}

/**
 * @param {unknown} json
 * @param {string} url where it came from, for messages
 * @param {Manifest} manifest
 * @param {Tier} tier
 * @returns {Plan}
 * @throws {PlanInvalidError}
 */
export function readPlan(json, url, manifest, tier) {
  const reader = new JsonReader(json, url, (what) => new PlanInvalidError(what, { url }));
  reader.field('format').oneOf(['thistledown-plan']);
  reader.field('version').oneOf([1]);
  reader.field('task').oneOf(TASKS.filter((task) => task === manifest.task));
  const parts = readParts(reader, manifest, tier);
  const plan = { ...parts, phases: readPhases(reader.field('phases'), parts, manifest) };
  checkMemory(reader, plan);
  checkAgainstManifest(reader, plan, manifest);
  checkBuffers(reader, plan, manifest);
  checkSnapshots(reader, plan.buffers);
  return plan;
}

/**
 * @param {GridSize} size
 * @param {Symbols} symbols
 * @returns {number} workgroups along one axis
 */
export function gridSize(size, symbols) {
  return typeof size === 'number' ? size : Math.ceil((symbols[size.of] * size.times) / size.per);
}
