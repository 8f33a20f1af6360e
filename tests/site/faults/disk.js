/** A private file system in memory that fails on order: what a browser's does, operation by operation. */

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
function flipped(bytes) {
  const copy = bytes.slice();
  if (copy.length) copy[copy.length >> 1] ^= 4;
  return copy;
}

/** What survives a process: bytes by path. */
export class Disk {
  files = new Map();
  folders = new Set(['/']);
  /** Which mount has a file open for writing, by path. */
  locked = new Map();

  /** @param {string} path */
  isLocked(path) {
    const owner = this.locked.get(path);
    return Boolean(owner && !owner.frozen);
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

  get root() {
    return new Folder(this, '/');
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
    if (this.mount.disk.isLocked(this.path + name)) throw new DOMException(name, 'NoModificationAllowedError');
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
    if (mount.disk.isLocked(path)) throw new DOMException(path, 'NoModificationAllowedError');
    if (mode === 'readwrite') mount.disk.locked.set(path, mount);
    return new SyncHandle(mount, path);
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
    return this.mount.enter('write', put) ?? this.put(source, at);
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
    this.mount.disk.files.set(this.path, this.bytes.slice(0, size));
  }

  flush() {
    this.mount.enter('flush');
  }

  close() {
    this.mount.disk.locked.delete(this.path);
    this.mount.enter('close');
  }
}
