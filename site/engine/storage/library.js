/** What a visitor is shown of the models that are kept, and may have removed. */

import { keptBytes } from './chunks.js';
import { holdingRecords } from './locks.js';
import { checked, nameOf, Records } from './records.js';

/** @typedef {import('../manifest.js').ChunkedFile} ChunkedFile */
/** @typedef {import('./records.js').KeptFile} KeptFile */
/** @typedef {{ url: string, title: string, usedAt: Date, bytes: number, keptBytes: number }} KeptModel `bytes` of all its files */

/** @param {KeptFile} file @returns {ChunkedFile} one whose chunks' hashes nobody needs */
function atLength(file) {
  return { ...file, file: file.sha256, chunks: new Array(Math.ceil(file.bytes / file.chunkBytes)).fill('') };
}

export class Library extends Records {
  /** @returns {Promise<KeptModel[]>} the latest used first */
  async list() {
    const kept = (await this.readings()).flatMap(({ record }) => checked(record) ?? []);
    const models = await Promise.all(kept.map(async ({ base, title, usedAt, files }) => ({
      url: base,
      title,
      usedAt: new Date(usedAt),
      bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
      keptBytes: await this.bytesKept(files.map(atLength)),
    })));
    return models.sort((one, other) => Number(other.usedAt) - Number(one.usedAt));
  }

  /** @param {ChunkedFile[]} files @returns {Promise<number>} bytes of them that are kept */
  async bytesKept(files) {
    const sums = await Promise.all(files.map(async (file) => keptBytes(file, await this.store.have(file))));
    return sums.reduce((sum, bytes) => sum + bytes, 0);
  }

  /** @param {string} base what is kept of it goes, unless another model needs it */
  async forget(base) {
    const name = await nameOf(base);
    await holdingRecords(() => this.store.removeRecord(name));
    await this.sweep();
  }
}
