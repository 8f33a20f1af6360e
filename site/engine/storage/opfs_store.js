/**
 * A store in the origin's private file system. A file's chunks lie at their own places in one file, and beside it lies one
 * byte a chunk that says how much of it is there. Written through synchronous handles: what a killed tab has written stays.
 * Whoever writes a file holds the lock of that file (locks.js).
 */

import { seal, unseal } from '../hashing.js';
import { WHOLE } from './chunks.js';
import { fillFrom } from './fill.js';
import { expectWritten } from './store_errors.js';

/** @typedef {import('./store.js').ChunkedFile} ChunkedFile */
/** @typedef {import('./store.js').Bytes} Bytes */
/**
 * What is used of a worker's FileSystemSyncAccessHandle; counts are of bytes.
 *
 * @typedef {object} SyncHandle
 * @property {(target: Bytes, place: { at: number }) => number} read
 * @property {(source: Bytes, place: { at: number }) => number} write
 * @property {(size: number) => void} truncate
 * @property {() => void} flush
 * @property {() => void} close
 */
/** @typedef {FileSystemFileHandle & { createSyncAccessHandle: (options?: { mode: string }) => Promise<SyncHandle> }} WorkerFileHandle */
/** @typedef {{ data: SyncHandle, marks: SyncHandle }} Handles */
/** @typedef {import('./store.js').Reading & { turn: number }} Slot */

const ROOT = 'thistledown-2';
/** Lets others read at the same time, where the browser knows of it. */
const READ_ONLY = { mode: 'read-only' };
const DATA = '.data';
const MARKS = '.kept';
/** A record is written over the older of its two slots, so that one of them is whole at any time. */
const SLOTS = ['.a', '.b'];

export class OpfsStore {
  /**
   * @param {FileSystemDirectoryHandle} files
   * @param {FileSystemDirectoryHandle} records
   */
  constructor(files, records) {
    /** @type {'opfs'} */
    this.kind = 'opfs';
    this.files = files;
    this.records = records;
    /** @type {Map<string, Promise<Handles>>} */
    this.writing = new Map();
    /** @type {Map<string, Promise<SyncHandle | null>>} */
    this.reading = new Map();
  }

  /** @param {FileSystemDirectoryHandle} root @returns {Promise<OpfsStore>} */
  static async open(root) {
    const top = await root.getDirectoryHandle(ROOT, { create: true });
    const [files, records] = await Promise.all(
      ['files', 'records'].map((name) => top.getDirectoryHandle(name, { create: true })),
    );
    return new OpfsStore(files, records);
  }

  /** @param {ChunkedFile} file @returns {Promise<Uint8Array>} */
  async have({ sha256, chunks }) {
    const kept = new Uint8Array(chunks.length);
    const marks = await bytesOf(this.files, sha256 + MARKS).catch(() => kept);
    kept.set(marks.subarray(0, kept.length));
    return kept;
  }

  /** @param {ChunkedFile} file @param {number} index @param {Bytes} target @returns {Promise<boolean>} */
  async read({ sha256, chunkBytes }, index, target) {
    const at = index * chunkBytes;
    try {
      const handle = (await this.writing.get(sha256))?.data ?? (await this.readerOf(sha256));
      if (handle) return handle.read(target, { at }) === target.length;
      const whole = await (await this.files.getFileHandle(sha256 + DATA)).getFile();
      return await fillFrom(whole.slice(at, at + target.length).stream(), target);
    } catch {
      return false;
    }
  }

  /** @param {ChunkedFile} file @param {number} index @param {Bytes} bytes @param {number} [from] @param {number} [mark] */
  async write({ sha256, chunkBytes }, index, bytes, from = 0, mark = WHOLE) {
    const { data, marks } = await this.handlesOf(sha256);
    expectWritten(data.write(bytes.subarray(from), { at: index * chunkBytes + from }), bytes.length - from);
    expectWritten(marks.write(Uint8Array.of(mark), { at: index }), 1);
  }

  /** @param {string} sha256 @returns {Promise<SyncHandle | null>} null where others read it and the browser wants one at a time */
  readerOf(sha256) {
    const known = this.reading.get(sha256) ?? openHandle(this.files, sha256 + DATA, READ_ONLY).catch(() => null);
    this.reading.set(sha256, known);
    return known;
  }

  /** @param {string} sha256 @returns {Promise<Handles>} */
  handlesOf(sha256) {
    const known = this.writing.get(sha256) ?? this.closeReader(sha256).then(() => openHandles(this.files, sha256));
    this.writing.set(sha256, known);
    known.catch(() => this.writing.delete(sha256));
    return known;
  }

  /** @param {string} sha256 */
  async closeReader(sha256) {
    const reader = await this.reading.get(sha256);
    this.reading.delete(sha256);
    if (reader) await this.letGo(sha256, [reader]);
  }

  /** @param {string} sha256 */
  async close(sha256) {
    await this.closeReader(sha256);
    const handles = await this.writing.get(sha256)?.catch(() => null);
    this.writing.delete(sha256);
    if (handles) await this.letGo(sha256, [handles.data, handles.marks]);
  }

  /**
   * Closing would block Chromium's worker for ever where the file went with the site's data.
   *
   * @param {string} sha256
   * @param {SyncHandle[]} handles
   */
  async letGo(sha256, handles) {
    await this.files.getFileHandle(sha256 + DATA);
    for (const handle of handles) handle.close();
  }

  /** @returns {Promise<string[]>} */
  async names() {
    return [...new Set((await namesIn(this.files)).map((name) => name.slice(0, 64)))];
  }

  /** @param {string} sha256 */
  async remove(sha256) {
    await this.close(sha256);
    for (const end of [MARKS, DATA]) await removeFrom(this.files, sha256 + end);
  }

  /** @returns {Promise<string[]>} */
  async recordNames() {
    return [...new Set((await namesIn(this.records)).map((name) => name.slice(0, -SLOTS[0].length)))];
  }

  /** @param {string} name @returns {Promise<import('./store.js').Reading>} */
  async readRecord(name) {
    const [first, second] = await this.slotsOf(name);
    const { record } = first.turn > second.turn ? first : second;
    return { record, sure: first.sure && second.sure };
  }

  /** @param {string} name @returns {Promise<Slot[]>} */
  slotsOf(name) {
    return Promise.all(SLOTS.map((slot) => readSlot(this.records, name + slot)));
  }

  /** @param {string} name @param {unknown} record */
  async writeRecord(name, record) {
    const [first, second] = (await this.slotsOf(name)).map(({ turn }) => turn);
    const older = first <= second ? SLOTS[0] : SLOTS[1];
    const text = await seal({ turn: Math.max(first, second) + 1, record });
    const handle = await openHandle(this.records, name + older);
    try {
      handle.truncate(0);
      expectWritten(handle.write(text, { at: 0 }), text.length);
      handle.flush();
    } finally {
      handle.close();
    }
  }

  /** @param {string} name */
  async removeRecord(name) {
    for (const slot of SLOTS) await removeFrom(this.records, name + slot);
  }
}

/** @param {FileSystemDirectoryHandle} folder @param {string} sha256 @returns {Promise<Handles>} */
async function openHandles(folder, sha256) {
  const data = await openHandle(folder, sha256 + DATA);
  try {
    return { data, marks: await openHandle(folder, sha256 + MARKS) };
  } catch (cause) {
    data.close();
    throw cause;
  }
}

/** Chromium never answers where the file's handle was collected meanwhile. @type {Set<FileSystemFileHandle>} */
const opening = new Set();

/**
 * @param {FileSystemDirectoryHandle} folder
 * @param {string} name
 * @param {{ mode: string }} [options] a file that is opened for reading must be there
 * @returns {Promise<SyncHandle>}
 */
async function openHandle(folder, name, options) {
  const handle = await folder.getFileHandle(name, { create: options === undefined });
  opening.add(handle);
  try {
    return await /** @type {WorkerFileHandle} */ (handle).createSyncAccessHandle(options);
  } finally {
    opening.delete(handle);
  }
}

/** @param {FileSystemDirectoryHandle} folder @param {string} name @returns {Promise<Bytes>} none where there is no such file */
async function bytesOf(folder, name) {
  try {
    const file = await (await folder.getFileHandle(name)).getFile();
    return new Uint8Array(await file.arrayBuffer());
  } catch (cause) {
    return new Uint8Array(expectMissing(cause));
  }
}

/** @param {FileSystemDirectoryHandle} folder @returns {Promise<string[]>} */
async function namesIn(folder) {
  const names = [];
  for await (const name of folder.keys()) names.push(name);
  return names;
}

/** @param {FileSystemDirectoryHandle} folder @param {string} name */
async function removeFrom(folder, name) {
  await folder.removeEntry(name).catch(expectMissing);
}

/** @param {unknown} cause @throws {unknown} the cause, unless there is no such file */
function expectMissing(cause) {
  if (!(cause instanceof DOMException && cause.name === 'NotFoundError')) throw cause;
  return 0;
}

/** @param {FileSystemDirectoryHandle} folder @param {string} name @returns {Promise<Slot>} */
async function readSlot(folder, name) {
  try {
    const bytes = await bytesOf(folder, name);
    const { turn, record } = bytes.length ? await unseal(bytes) : { turn: -1, record: null };
    return { turn, record, sure: true };
  } catch {
    return { turn: -1, record: null, sure: false };
  }
}
