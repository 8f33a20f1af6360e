/**
 * A saved state as bytes: a preface (`MAGIC`, the version, the head's length), a head in JSON that says what the state
 * belongs to, the ids it stands for, the buffers end to end, and the SHA-256 of all that. Numbers are little-endian u32.
 */

import { StateInvalidError } from '../errors.js';
import { JsonReader } from '../json_reader.js';

/** @typedef {Uint8Array<ArrayBuffer>} Bytes */
/** @typedef {{ tier: string, files: string }} Owner the tier, and a hash of all files that the model was made of */
/**
 * @typedef {object} Contents
 * @property {number[]} ids that the states have seen
 * @property {number} saved how many of the first of them the snapshots have seen
 * @property {Bytes[]} parts the buffers
 */
/** @typedef {Owner & { tokens: number, saved: number, parts: number[] }} Head `parts` in bytes */

const MAGIC = 'TDSTATE\n';
const VERSION = 1;
const PREFACE_BYTES = MAGIC.length + 8;
const DIGEST_BYTES = 32;

/** @param {string} reason for programs @param {string} what @returns {StateInvalidError} */
function refusal(reason, what) {
  return new StateInvalidError(what, { reason });
}

/** @param {Head} head @returns {Bytes} JSON, ending at a whole word */
function headBytes(head) {
  const text = JSON.stringify(head);
  return new TextEncoder().encode(text.padEnd(Math.ceil(text.length / 4) * 4));
}

/** @param {Bytes} bytes @returns {Promise<Bytes>} */
async function digestOf(bytes) {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
}

/** @param {Owner} owner @param {Contents} contents @returns {Promise<ArrayBuffer>} */
export async function pack({ tier, files }, { ids, saved, parts }) {
  const head = headBytes({ tier, files, tokens: ids.length, saved, parts: parts.map(({ length }) => length) });
  const preface = new Uint8Array(PREFACE_BYTES);
  preface.set(new TextEncoder().encode(MAGIC));
  new Uint32Array(preface.buffer).set([VERSION, head.length], MAGIC.length / 4);
  const sections = [preface, head, new Uint8Array(Uint32Array.from(ids).buffer), ...parts];
  const size = sections.reduce((sum, { length }) => sum + length, 0);
  const all = new Uint8Array(size + DIGEST_BYTES);
  let at = 0;
  for (const section of sections) {
    all.set(section, at);
    at += section.length;
  }
  all.set(await digestOf(all.subarray(0, size)), size);
  return all.buffer;
}

/** @param {Bytes} bytes @throws {StateInvalidError} unless they are a whole state of this version */
async function expectWhole(bytes) {
  if (new TextDecoder().decode(bytes.subarray(0, MAGIC.length)) !== MAGIC) throw refusal('damaged', 'These bytes are no saved state');
  if (bytes.length < PREFACE_BYTES + DIGEST_BYTES) throw refusal('damaged', 'The saved state is cut off');
  const version = new DataView(bytes.buffer).getUint32(MAGIC.length, true);
  if (version !== VERSION) throw refusal('version', `The saved state has the version ${version}, and this engine reads ${VERSION}`);
  const end = bytes.length - DIGEST_BYTES;
  const found = await digestOf(bytes.subarray(0, end));
  if (found.some((byte, i) => byte !== bytes[end + i])) throw refusal('damaged', 'The saved state is damaged: its SHA-256 is another');
}

/** @param {Bytes} bytes @returns {Head} */
function readHead(bytes) {
  const refuse = (/** @type {string} */ what) => refusal('damaged', what);
  let json;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw refuse('The saved state has no head');
  }
  const reader = new JsonReader(json, 'the saved state', refuse);
  const tokens = reader.field('tokens').integer(0);
  return {
    tier: reader.field('tier').string(),
    files: reader.field('files').string(),
    tokens,
    saved: reader.field('saved').integer(0, tokens),
    parts: reader.field('parts').items().map((part) => part.integer(0)),
  };
}

/** @param {Head} head @param {Owner} owner that is loaded */
function expectOwner({ tier, files }, owner) {
  if (tier !== owner.tier) throw refusal('tier', `The state was saved with the tier ${tier}, and ${owner.tier} is loaded`);
  if (files !== owner.files) throw refusal('model', 'The state was saved with another model or adapter, or another export of it');
}

/**
 * @param {Bytes} bytes that begin their memory
 * @param {Owner} owner that is loaded
 * @returns {Promise<Contents>}
 * @throws {StateInvalidError} for what is not a whole state of this owner
 */
export async function unpack(bytes, owner) {
  await expectWhole(bytes);
  const body = bytes.subarray(PREFACE_BYTES, bytes.length - DIGEST_BYTES);
  const headLength = new DataView(bytes.buffer).getUint32(MAGIC.length + 4, true);
  const head = readHead(body.subarray(0, headLength));
  expectOwner(head, owner);
  const { tokens, saved } = head;
  let at = headLength;
  const [words, ...parts] = [tokens * 4, ...head.parts].map((length) => body.subarray(at, (at += length)));
  if (at !== body.length) throw refusal('damaged', 'The saved state does not add up');
  return { ids: [...new Uint32Array(words.slice().buffer)], saved, parts };
}
