/**
 * Fails the Nth operation of a download, for every N until it passes: once, lastingly until it is healed, or as the death of
 * the process. After each case the model is brought again on the same disk. What must hold is in `judge`.
 */

import { EngineError } from '/engine/errors.js';
import { sha256 } from '/engine/hashing.js';
import { Progress } from '/engine/progress.js';
import { Library } from '/engine/storage/library.js';
import { OpfsStore } from '/engine/storage/opfs_store.js';
import { noStore } from '/engine/storage/store.js';
import { bring } from '/engine/transfer/bring.js';
import { BufferPool } from '/engine/transfer/buffer_pool.js';
import { Gate } from '/engine/transfer/gate.js';
import { makeSupply } from '/engine/transfer/supply.js';
import { Disk, DISK_FAULTS, Mount } from './disk.js';
import { Network, NETWORK_FAULTS } from './network.js';

const CHUNK_BYTES = 64;
const SIZES = [100, 330, 200];
const STALL_MS = 10;
const BACKOFF_MS = 0.02;
/** Neither of the disk nor of the server: what befalls the page. */
const PAGE_FAULTS = ['aborted', 'paused', 'offline'];
const MODES = ['once', 'lasting', 'death'];

/** @returns {Promise<{ files: import('/engine/manifest.js').ChunkedFile[], bytes: Map<string, Uint8Array> }>} */
async function makeModel() {
  const files = [];
  const bytes = new Map();
  for (const [at, size] of SIZES.entries()) {
    const body = Uint8Array.from({ length: size }, (_, i) => (i * 31 + at * 17 + (i >> 3)) % 251);
    const chunkBytes = at === 0 ? size : CHUNK_BYTES;
    const chunks = [];
    for (let start = 0; start < size; start += chunkBytes) chunks.push(await sha256(body.slice(start, start + chunkBytes)));
    const name = await sha256(body);
    files.push({ file: `${name}.bin`, bytes: size, sha256: name, chunkBytes, chunks });
    bytes.set(`${name}.bin`, body);
  }
  return { files, bytes };
}

/** One page that brings the model, on a disk and a network of its own process. */
class Visit {
  constructor(model, disk, meet) {
    this.model = model;
    this.aborter = new AbortController();
    this.gate = new Gate();
    this.got = new Map();
    this.mount = new Mount(disk, (operation) => meet('disk', operation, this));
    this.network = new Network(model.bytes, (operation) => meet('network', operation, this));
  }

  die() {
    this.mount.frozen = true;
    this.aborter.abort();
  }

  /** As a session does, without the GPU. */
  async run() {
    globalThis.fetch = this.network.fetch;
    const { files } = this.model;
    const base = 'https://models.test/tiny/';
    const store = await OpfsStore.open(this.mount.root).catch(noStore);
    const library = new Library(store);
    const progress = new Progress(() => undefined, SIZES.reduce((sum, size) => sum + size));
    this.progress = progress;
    const supply = makeSupply(base, store, progress, this.aborter.signal, this.gate);
    Object.assign(supply, { stallMs: STALL_MS, backoffMs: BACKOFF_MS });
    await supply.keeping.attempt(() => library.begin(base, 'Tiny', files));
    const pool = new BufferPool(3, CHUNK_BYTES + 36);
    await Promise.all(files.map((file) => {
      const whole = new Uint8Array(file.bytes);
      this.got.set(file.file, whole);
      return bring(file, supply, pool, (chunk, offset) => whole.set(chunk, offset));
    }));
    await library.finish(base, files, 'the manifest').catch(() => undefined);
  }

  isRight() {
    return this.model.files.every(({ file }) => this.got.get(file)?.every((byte, at) => byte === this.model.bytes.get(file)[at]));
  }
}

/** @param {Disk} disk @returns {Promise<number>} bytes of the model that are kept and right */
async function keptBytes(disk, { files, bytes }) {
  let sum = 0;
  for (const { file, sha256: name, chunkBytes, chunks, bytes: size } of files) {
    const data = disk.files.get(`/thistledown-2/files/${name}.data`) ?? new Uint8Array();
    const marks = disk.files.get(`/thistledown-2/files/${name}.kept`) ?? new Uint8Array();
    for (const index of chunks.keys()) {
      const [start, end] = [index * chunkBytes, Math.min(size, (index + 1) * chunkBytes)];
      const right = bytes.get(file).subarray(start, end);
      if (marks[index] === 1 && data.length >= end && right.every((byte, at) => byte === data[start + at])) sum += end - start;
    }
  }
  return sum;
}

/** @returns {Promise<unknown>} what the visit ended with; null where all went well */
async function outcomeOf(visit) {
  try {
    await visit.run();
    return null;
  } catch (cause) {
    return cause;
  }
}

/** @returns what an operation meets: the Nth that the fault can befall, and with `lasting` all later ones */
function meeting({ fault, place, mode, at }, counted) {
  return (where, operation, visit) => {
    if (place !== 'page' && where !== place) return null;
    counted.operations += 1;
    const now = mode === 'lasting' ? counted.operations >= at : counted.operations === at;
    if (!now) return null;
    counted.met = true;
    if (mode === 'death') return visit.die();
    if (place === 'page') return befall(fault, visit);
    return fault;
  };
}

/** @param {string} fault @param {Visit} visit */
function befall(fault, visit) {
  if (fault === 'aborted') visit.aborter.abort();
  if (fault === 'paused') {
    visit.gate.pause();
    setTimeout(() => visit.gate.resume(), 1);
  }
  if (fault === 'offline') {
    setOnline(false);
    setTimeout(() => setOnline(true), 1);
  }
  return null;
}

/** @param {boolean} online */
function setOnline(online) {
  Object.defineProperty(navigator, 'onLine', { value: online, configurable: true });
  if (online) dispatchEvent(new Event('online'));
}

/** @returns {Promise<{ wrong: string[], code: string, met: boolean }>} */
async function judge(model, order) {
  const disk = new Disk();
  const counted = { operations: 0, met: false };
  const first = new Visit(model, disk, meeting(order, counted));
  const cause = await outcomeOf(first);
  setOnline(true);
  first.mount.frozen = true;
  const wrong = [];
  if (cause === null && !first.isRight()) wrong.push('wrong bytes');
  if (cause !== null && !(cause instanceof EngineError)) wrong.push(`untyped ${cause}`);
  const kept = await keptBytes(disk, model);
  const total = SIZES.reduce((sum, size) => sum + size);
  const second = new Visit(model, disk, () => null);
  const again = await outcomeOf(second);
  if (again !== null) wrong.push(`stuck: ${again}`);
  else if (!second.isRight()) wrong.push('wrong bytes after healing');
  else if (second.progress.fetched !== total - kept) wrong.push(`fetched ${second.progress.fetched} of ${total} with ${kept} kept`);
  const third = new Visit(model, disk, () => null);
  await outcomeOf(third);
  if (third.network.requests > 0) wrong.push(`fetched again: ${third.network.requests} requests`);
  return { wrong, code: cause === null ? 'none' : cause instanceof EngineError ? cause.code : String(cause), met: counted.met };
}

/**
 * @param {{ every: number }} options of all cases, each how manieth is run
 * @returns {Promise<{ cases: number, kinds: number, codes: Record<string, number>, failures: string[] }>}
 */
export async function faultLoop({ every }) {
  const model = await makeModel();
  const failures = [];
  addEventListener('unhandledrejection', (event) => failures.push(`unhandled ${event.reason}`));
  const faults = [
    ...DISK_FAULTS.map((fault) => ({ fault, place: 'disk' })),
    ...NETWORK_FAULTS.map((fault) => ({ fault, place: 'network' })),
    ...PAGE_FAULTS.map((fault) => ({ fault, place: 'page' })),
  ];
  const codes = {};
  let cases = 0;
  let turn = 0;
  for (const fault of faults) {
    for (const mode of fault.place === 'page' ? ['once', 'death'] : MODES) {
      for (let at = 1; ; at++) {
        if (turn++ % every !== 0 && at > 1) continue;
        const { wrong, code, met } = await judge(model, { ...fault, mode, at });
        if (!met) break;
        cases += 1;
        codes[code] = (codes[code] ?? 0) + 1;
        failures.push(...wrong.map((what) => `${fault.place} ${fault.fault}, ${mode}, operation ${at}: ${what}`));
      }
    }
  }
  return { cases, kinds: faults.length, codes, failures: failures.slice(0, 40) };
}

globalThis.onmessage = async ({ data }) => {
  globalThis.postMessage(await faultLoop(data).catch((cause) => ({ failures: [String(cause?.stack ?? cause)] })));
};
