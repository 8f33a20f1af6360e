/** Reads and checks manifest.json (exporter/artifact/FORMAT.md); nothing unchecked leaves this file. */

import { readCanary } from './canary_format.js';
import { readChat } from './chat_format.js';
import { ManifestInvalidError } from './errors.js';
import { JsonReader } from './json_reader.js';

export const TASKS = /** @type {const} */ ([
  'sentence-embedding', 'text-generation', 'text-classification', 'token-classification', 'fill-mask',
]);
/** Best first: the first whose features and limits the device has is played. */
export const TIERS = /** @type {const} */ (['f16', 'subgroups', 'base']);
export const MEMORY_KEYS = /** @type {const} */ (['weights', 'states', 'activations', 'tables', 'io', 'total']);
export const LIMIT_KEYS = /** @type {const} */ ([
  'maxBufferSize', 'maxStorageBufferBindingSize', 'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize', 'maxComputeInvocationsPerWorkgroup',
]);
const QUANTIZATIONS = /** @type {const} */ ([
  'f32', 'f16', 'q8', 'q4', 'q2', 'q8z', 'q4z', 'q2z', 'q4-mixed', 'hybrid', 'auto',
  'e3', 'e3.5', 'e4', 'e4.5', 'e5', 'e6',
]);
const SCORE_FUNCTIONS = /** @type {const} */ (['softmax', 'sigmoid', 'none']);
const ROLES = /** @type {const} */ (['onnx', 'tokenizer', 'original', 'generation', 'card', 'report']);
/** Either will do; the packed one is read where there are both. */
const TOKENIZERS = ['tokenizer.packed.json', 'tokenizer.json'];
const MAX_CHUNK_BYTES = 64 * 2 ** 20;

/** @typedef {typeof TASKS[number]} Task */
/** @typedef {typeof TIERS[number]} Tier */
/** @typedef {Record<typeof MEMORY_KEYS[number], number>} Memory */
/** @typedef {Record<typeof LIMIT_KEYS[number], number>} Limits */
/** @typedef {{ file: string, bytes: number, sha256: string }} FileRecord */
/** @typedef {FileRecord & { chunkBytes: number, chunks: string[] }} ChunkedFile */
/** @typedef {FileRecord & { features: string[], memory: Memory, limits: Limits }} PlanRecord */
/** @typedef {FileRecord & { role: typeof ROLES[number] }} OtherFile */
/** @typedef {import('./chat_format.js').Chat} Chat */
/**
 * @typedef {object} Generation
 * @property {number[]} stopIds
 * @property {number | null} bosId
 * @property {number} temperature
 * @property {number} topK
 * @property {number} topP
 * @property {Chat | null} chat
 */
/** @typedef {import('./canary_format.js').Canary} Canary */
/**
 * @typedef {object} Manifest
 * @property {string} name
 * @property {string} title
 * @property {Task} task
 * @property {string} architecture
 * @property {string} source
 * @property {string | null} license
 * @property {string[]} languages
 * @property {typeof QUANTIZATIONS[number]} quantization
 * @property {number} parameters
 * @property {number} context
 * @property {number | null} dimensions
 * @property {number} vocabulary
 * @property {Generation | null} generation
 * @property {ChunkedFile[]} shards
 * @property {Partial<Record<Tier, PlanRecord>>} plans
 * @property {OtherFile[]} files
 * @property {string[] | null} labels of a classifier
 * @property {typeof SCORE_FUNCTIONS[number] | null} scoreFunction makes scores of a classifier's logits
 * @property {string | null} maskToken of a fill-mask model
 * @property {(ChunkedFile | null)[]} coded what is fetched for a shard instead, if anything: the same in fewer bytes
 * @property {Canary | null} canary a known answer
 */

/** @param {JsonReader} reader @returns {FileRecord} */
function readFile(reader) {
  return {
    file: reader.field('file').matching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, 'a plain file name'),
    bytes: reader.field('bytes').integer(1),
    sha256: readHash(reader.field('sha256')),
  };
}

/** @param {JsonReader} reader @returns {string} */
export function readHash(reader) {
  return reader.matching(/^[0-9a-f]{64}$/, 'a SHA-256 in lower-case hex');
}

/** @param {JsonReader} reader @returns {string} */
export function readName(reader) {
  return reader.matching(/^[a-z0-9][a-z0-9._-]{0,127}$/, 'a folder-safe name');
}

/** @param {JsonReader} reader @returns {ChunkedFile} */
export function readShard(reader) {
  const file = readFile(reader);
  const chunkBytes = reader.field('chunk_bytes').integer(4, MAX_CHUNK_BYTES);
  const chunks = reader.field('chunks').items().map(readHash);
  if (chunkBytes % 4 !== 0) reader.field('chunk_bytes').refuse('is not a multiple of 4');
  if (chunks.length !== Math.ceil(file.bytes / chunkBytes)) reader.field('chunks').refuse('do not cover the shard');
  if (file.file !== `${file.sha256}.bin`) reader.field('file').refuse('is not named by its SHA-256');
  return { ...file, chunkBytes, chunks };
}

/** @param {JsonReader} reader @returns {Memory} */
export function readMemory(reader) {
  return /** @type {Memory} */ (readIntegers(reader, MEMORY_KEYS));
}

/** @param {JsonReader} reader @returns {Limits} */
export function readLimits(reader) {
  return /** @type {Limits} */ (readIntegers(reader, LIMIT_KEYS));
}

/** @param {JsonReader} reader @returns {string[]} */
export function readFeatures(reader) {
  return reader.items().map((item) => item.matching(/^[a-z0-9-]{1,64}$/, 'a WebGPU feature name'));
}

/** @param {JsonReader} reader @param {readonly string[]} keys @returns {Record<string, number>} */
function readIntegers(reader, keys) {
  return Object.fromEntries(keys.map((key) => [key, reader.field(key).integer(0)]));
}

/** @param {JsonReader} reader @returns {PlanRecord} */
function readPlanRecord(reader) {
  return {
    ...readFile(reader),
    features: readFeatures(reader.field('features')),
    memory: readMemory(reader.field('memory')),
    limits: readLimits(reader.field('limits')),
  };
}

/** @param {JsonReader} reader @returns {Manifest['plans']} */
export function readPlans(reader) {
  /** @type {Manifest['plans']} */
  const plans = {};
  for (const [tier, record] of reader.entries()) {
    const known = TIERS.find((name) => name === tier);
    if (!known) return record.refuse(`is not one of the tiers ${TIERS.join(', ')}`);
    plans[known] = readPlanRecord(record);
  }
  if (Object.keys(plans).length === 0) reader.refuse('holds no plan');
  return plans;
}

/** @param {JsonReader} reader @param {number} vocabulary @returns {Generation} */
function readGeneration(reader, vocabulary) {
  const topP = reader.field('top_p').number();
  const temperature = reader.field('temperature').number();
  if (!(topP > 0 && topP <= 1)) reader.field('top_p').refuse('is not above 0 and at most 1');
  if (temperature < 0) reader.field('temperature').refuse('is negative');
  return {
    stopIds: reader.field('stop_ids').items().map((item) => item.integer(0, vocabulary - 1)),
    bosId: reader.field('bos_id').optional((field) => field.integer(0, vocabulary - 1)),
    temperature,
    topK: reader.field('top_k').integer(0),
    topP,
    chat: reader.field('chat').optional(readChat),
  };
}

/** @param {JsonReader} reader @returns {Omit<Manifest, 'canary'>} */
function readFacts(reader) {
  const vocabulary = reader.field('vocabulary').integer(1);
  return {
    name: readName(reader.field('name')),
    title: reader.field('title').string(),
    task: reader.field('task').oneOf(TASKS),
    architecture: reader.field('architecture').string(),
    source: reader.field('source').string(),
    license: reader.field('license').optional((field) => field.string()),
    languages: reader.field('languages').items().map((item) => item.string()),
    quantization: reader.field('quantization').oneOf(QUANTIZATIONS),
    parameters: reader.field('parameters').integer(0),
    context: reader.field('context').integer(1),
    dimensions: reader.field('dimensions').optional((field) => field.integer(1)),
    vocabulary,
    generation: reader.field('generation').optional((field) => readGeneration(field, vocabulary)),
    shards: reader.field('shards').items().map(readShard),
    coded: reader.field('coded').optional((field) => field.items().map((item) => item.optional(readShard))) ?? [],
    plans: readPlans(reader.field('plans')),
    files: reader.field('files').items().map((file) => ({ ...readFile(file), role: file.field('role').oneOf(ROLES) })),
    labels: reader.field('labels').optional((field) => field.items().map((item) => item.string())),
    scoreFunction: reader.field('score_function').optional((field) => field.oneOf(SCORE_FUNCTIONS)),
    maskToken: reader.field('mask_token').optional((field) => field.string()),
  };
}

/** @param {JsonReader} reader @param {Manifest} manifest */
function checkWhole(reader, manifest) {
  const { task, dimensions, generation, shards, coded } = manifest;
  if (coded.length > 0 && coded.length !== shards.length) reader.field('coded').refuse('are not as many as the shards');
  if (task === 'sentence-embedding' && dimensions === null) reader.field('dimensions').refuse('is missing');
  if (task === 'text-generation' && generation === null) reader.field('generation').refuse('is missing');
  if (task === 'text-classification' || task === 'token-classification') {
    if (!manifest.labels?.length) reader.field('labels').refuse('are missing');
    if (manifest.scoreFunction === null) reader.field('score_function').refuse('is missing');
  }
  if (task === 'fill-mask' && !manifest.maskToken) reader.field('mask_token').refuse('is missing');
  const names = allFiles(manifest).map(({ file }) => file);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice) reader.refuse(`lists ${twice} twice`);
  const hasTokenizer = manifest.files.some(({ file, role }) => role === 'tokenizer' && TOKENIZERS.includes(file));
  if (!hasTokenizer) reader.field('files').refuse('have no tokenizer.json');
  const { chat = null } = generation ?? {};
  const carried = chat && 'template' in chat ? chat.template : null;
  const isThere = manifest.files.some(({ file, role }) => file === carried && role === 'tokenizer');
  if (carried !== null && !isThere) reader.field('files').refuse(`have no ${carried}, which carries the chat template`);
}

/** @param {Manifest} manifest @returns {FileRecord[]} */
function allFiles({ shards, coded, plans, files }) {
  return [...shards, ...coded.filter((file) => file !== null), ...Object.values(plans), ...files];
}

/**
 * @param {unknown} json
 * @param {string} url where it came from, for messages
 * @returns {Manifest}
 * @throws {ManifestInvalidError}
 */
export function readManifest(json, url) {
  const reader = new JsonReader(json, url, (what) => new ManifestInvalidError(what, { url }));
  reader.field('format').oneOf(['thistledown']);
  reader.field('version').oneOf([1]);
  const facts = { ...readFacts(reader), canary: null };
  checkWhole(reader, facts);
  return { ...facts, canary: reader.field('canary').optional((field) => readCanary(field, facts)) };
}

/**
 * The files of a visit, besides the manifest: one plan, the tokenizer, the shards.
 *
 * @param {Manifest} manifest
 * @param {Tier} tier one that the manifest has
 * @returns {{ plan: ChunkedFile, tokenizer: ChunkedFile[], shards: ChunkedFile[] }}
 */
export function visitedFiles(manifest, tier) {
  const plan = /** @type {PlanRecord} */ (manifest.plans[tier]);
  return {
    plan: asOneChunk(plan),
    tokenizer: filesOf(manifest, 'tokenizer'),
    shards: fetchedShards(manifest),
  };
}

/** @param {Pick<Manifest, 'shards' | 'coded'>} manifest @returns {ChunkedFile[]} the file that is fetched for each shard */
export function fetchedShards({ shards, coded }) {
  return shards.map((shard, i) => coded[i] ?? shard);
}

/** @param {Manifest} manifest @param {OtherFile['role']} wanted @returns {ChunkedFile[]} */
export function filesOf({ files }, wanted) {
  return files.filter(({ role }) => role === wanted).map(asOneChunk);
}

/** @param {FileRecord} record @returns {ChunkedFile} */
function asOneChunk({ file, bytes, sha256 }) {
  return { file, bytes, sha256, chunkBytes: bytes, chunks: [sha256] };
}

/** @param {{ bytes: number }[]} files @returns {number} bytes of all */
export function bytesOf(files) {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}
