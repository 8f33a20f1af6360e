/** A private file system in memory that fails on order: what a browser's does, operation by operation. */

import { begunBytes } from '/engine/storage/chunks.js';
import { OpfsStore } from '/engine/storage/opfs_store.js';

const FILES = '/thistledown-2/files/';

/** Of a disk's operations, those that a fault of storage may befall. */
const FAULTS = {
  'quota thrown': () => { throw new DOMException('full', 'QuotaExceededError'); },
  'state invalid': () => { throw new DOMException('gone', 'InvalidStateError'); },
  'entry missing': () => { throw new DOMException('missing', 'NotFoundError'); },
  'not readable': () => { throw new DOMException('changed', 'NotReadableError'); },
  'locked by another': () => { throw new DOMException('locked', 'NoModificationAllowedError'); },
  'not allowed': () => { throw new DOMException('denied', 'NotAllowedError'); },
  'unknown error': () => { throw new TypeError('disk'); },
  'half is written': (write) => write?.(0.5, (count) => count),
  'negative count': (write) => write?.(0.5, () => 4294967288),
  'nothing is written': (write) => write?.(0, () => 0),
  'half is read': (_, read) => read?.((bytes) => bytes.subarray(0, bytes.length / 2)),
  'a bit is flipped on reading': (_, read) => read?.((bytes) => flipped(bytes)),
  'zeros are read': (_, read) => read?.((bytes) => bytes.map(() => 0)),
};
export const DISK_FAULTS = Object.keys(FAULTS);

/** @param {Uint8Array} bytes */
export function flipped(bytes) {
  const copy = bytes.slice();
  if (copy.length) copy[copy.length >> 1] ^= 4;
  return copy;
}

/** What survives a process: bytes by path. */
export class Disk {
  files = new Map();
  folders = new Set(['/']);
  /** Which mounts have a file open, and whether alone, by path. */
  open = new Map();
  knowsModes = true;
  /** Bytes that fit, and how a write says that no more do. */
  room = Infinity;
  form = 'thrown';

  get used() {
    return [...this.files.values()].reduce((sum, bytes) => sum + bytes.length, 0);
  }

  /** @param {string} path @returns {{ mount: Mount, alone: boolean }[]} handles of processes that live */
  handlesOf(path) {
    return (this.open.get(path) ?? []).filter(({ mount }) => !mount.frozen);
  }

  /** @param {{ sha256: string, bytes: number, chunkBytes: number }} file @param {number} index @returns {Uint8Array | null} */
  chunk({ sha256, bytes, chunkBytes }, index) {
    if (this.files.get(`${FILES}${sha256}.kept`)?.[index] !== 1) return null;
    const end = Math.min(bytes, (index + 1) * chunkBytes);
    return this.files.get(`${FILES}${sha256}.data`)?.slice(index * chunkBytes, end) ?? null;
  }

  /** @param {{ sha256: string, bytes: number, chunkBytes: number }} file @param {number} index @returns {Uint8Array} of a chunk that is not whole */
  begun(file, index) {
    const at = index * file.chunkBytes;
    const length = begunBytes(file, index, this.files.get(`${FILES}${file.sha256}.kept`)?.[index] ?? 0);
    return this.files.get(`${FILES}${file.sha256}.data`)?.slice(at, at + length) ?? new Uint8Array();
  }

  /** @returns {string[]} of every file of which anything is kept */
  names() {
    const paths = [...this.files.keys()].filter((path) => path.startsWith(FILES));
    return [...new Set(paths.map((path) => path.slice(FILES.length, FILES.length + 64)))];
  }

  /** @returns {string[]} what a visit may find spoilt: `spoil` takes one of them */
  spots() {
    return [...this.files.keys()];
  }

  /** @param {string} spot @param {(bytes: Uint8Array) => Uint8Array | null} change */
  spoil(spot, change) {
    const bytes = change(this.files.get(spot));
    if (bytes) this.files.set(spot, bytes);
    else this.files.delete(spot);
  }
}

/** A process's view of a disk; once it is frozen, nothing of it has any effect. */
export class Mount {
  frozen = false;

  /** @param {Disk} disk @param {(operation: string) => string | null} meet says which fault an operation meets */
  constructor(disk, meet) {
    this.disk = disk;
    this.meet = meet;
  }

  /** @param {string} operation @param {((share: number, answer: (count: number) => number) => number)} [write] @param {Function} [read] */
  enter(operation, write, read) {
    const fault = this.frozen ? null : this.meet(operation);
    if (this.frozen) throw new DOMException('the process has ended', 'AbortError');
    return fault && FAULTS[fault] ? FAULTS[fault](write, read) : undefined;
  }

  open() {
    return OpfsStore.open(new Folder(this, '/'));
  }
}

class Folder {
  constructor(mount, path) {
    Object.assign(this, { mount, path });
  }

  async getDirectoryHandle(name, { create = false } = {}) {
    this.mount.enter('folder');
    const path = `${this.path}${name}/`;
    if (create) this.mount.disk.folders.add(path);
    if (!this.mount.disk.folders.has(path)) throw new DOMException(path, 'NotFoundError');
    return new Folder(this.mount, path);
  }

  async getFileHandle(name, { create = false } = {}) {
    this.mount.enter('file');
    const { files } = this.mount.disk;
    const path = this.path + name;
    if (create && !files.has(path)) files.set(path, new Uint8Array());
    if (!files.has(path)) throw new DOMException(path, 'NotFoundError');
    return new FileHandle(this.mount, path);
  }

  async removeEntry(name) {
    this.mount.enter('remove');
    if (this.mount.disk.handlesOf(this.path + name).length > 0) throw new DOMException(name, 'NoModificationAllowedError');
    if (!this.mount.disk.files.delete(this.path + name)) throw new DOMException(name, 'NotFoundError');
  }

  async *keys() {
    this.mount.enter('list');
    for (const path of [...this.mount.disk.files.keys()]) {
      if (path.startsWith(this.path)) yield path.slice(this.path.length);
    }
  }
}

class FileHandle {
  constructor(mount, path) {
    Object.assign(this, { mount, path });
  }

  async getFile() {
    let bytes = this.mount.disk.files.get(this.path);
    if (!bytes) throw new DOMException(this.path, 'NotFoundError');
    this.mount.enter('get file', undefined, (change) => { bytes = change(bytes); });
    return new File([bytes], 'file');
  }

  async createSyncAccessHandle({ mode = 'readwrite' } = {}) {
    const { mount, path } = this;
    mount.enter('open');
    const alone = mode === 'readwrite' || !mount.disk.knowsModes;
    const others = mount.disk.handlesOf(path);
    if (others.length > 0 && (alone || others[0].alone)) throw new DOMException(path, 'NoModificationAllowedError');
    const handle = Object.assign(new SyncHandle(mount, path), { alone });
    mount.disk.open.set(path, [...others, handle]);
    return handle;
  }
}

class SyncHandle {
  constructor(mount, path) {
    Object.assign(this, { mount, path });
  }

  get bytes() {
    return this.mount.disk.files.get(this.path) ?? new Uint8Array();
  }

  write(source, { at }) {
    const put = (share, answer) => answer(this.put(source.subarray(0, Math.floor(source.length * share)), at));
    return this.mount.enter('write', put) ?? this.fit(source, at);
  }

  /** A full disk throws, or has written a part and says a negative number. */
  fit(source, at) {
    const { disk } = this.mount;
    const fits = Math.max(0, disk.room - disk.used + this.bytes.length - at);
    if (source.length <= fits) return this.put(source, at);
    if (disk.form === 'thrown') throw new DOMException('full', 'QuotaExceededError');
    this.put(source.subarray(0, fits), at);
    return 4294967288;
  }

  put(source, at) {
    const grown = new Uint8Array(Math.max(this.bytes.length, at + source.length));
    grown.set(this.bytes);
    grown.set(source, at);
    this.mount.disk.files.set(this.path, grown);
    return source.length;
  }

  read(target, { at }) {
    let found = this.bytes.slice(at, at + target.length);
    this.mount.enter('read', undefined, (change) => { found = change(found); });
    target.set(found);
    return found.length;
  }

  truncate(size) {
    this.mount.enter('truncate');
    const { disk } = this.mount;
    if (disk.used - this.bytes.length + size > disk.room) throw new DOMException('full', 'QuotaExceededError');
    const changed = new Uint8Array(size);
    changed.set(this.bytes.subarray(0, size));
    disk.files.set(this.path, changed);
  }

  flush() {
    this.mount.enter('flush');
  }

  close() {
    const { open } = this.mount.disk;
    open.set(this.path, (open.get(this.path) ?? []).filter((handle) => handle !== this));
    this.mount.enter('close');
  }
}
