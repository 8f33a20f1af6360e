/** What loads write into the records: what they are about to keep, what they have kept, and what they found out on the way. */

import { ifNobodyLoads } from './locks.js';
import { Records } from './records.js';

/** @typedef {import('../manifest.js').ChunkedFile} ChunkedFile */
/** @typedef {import('./records.js').Kept} Kept */
/** @typedef {import('./records.js').KeptFile} KeptFile */

export class LoadRecords extends Records {
  /**
   * Before a download: what it is about to keep belongs to this model, beside what is kept of it already.
   *
   * @param {string} base
   * @param {string} title
   * @param {ChunkedFile[]} files
   * @returns {Promise<number>} the load's turn
   */
  async begin(base, title, files) {
    const { turn } = await this.change(base, (kept) => ({
      base,
      title,
      usedAt: Date.now(),
      files: once([...(kept?.files ?? []), ...briefly(files)]),
      current: kept?.current ?? files.map((file) => file.sha256),
      turn: (kept?.turn ?? 0) + 1,
      since: kept?.since ?? 0,
      notes: kept?.notes ?? {},
      manifest: kept?.manifest ?? null,
    }));
    return turn;
  }

  /**
   * After a download: its files are those that stay, unless a later load has had its say.
   *
   * @param {string} base
   * @param {ChunkedFile[]} files
   * @param {string | null} manifest the text that names them; null where there was no room, which an older version then makes
   * @param {number} turn
   */
  async finish(base, files, manifest, turn) {
    const current = files.map((file) => file.sha256);
    const isNews = (/** @type {Kept} */ kept) => manifest || kept.files.some((file) => !current.includes(file.sha256));
    await this.change(base, (kept) => kept && kept.since <= turn && isNews(kept)
      ? { ...kept, files: once([...kept.files, ...briefly(files)]), current, since: manifest ? turn : kept.since, manifest }
      : null);
  }

  /** @param {string} base what older versions left behind goes, unless a tab is loading the model */
  async tidy(base) {
    await ifNobodyLoads(base, async () => {
      await this.change(base, (kept) => kept && {
        ...kept,
        files: kept.files.filter((file) => kept.current.includes(file.sha256)),
        notes: Object.fromEntries(Object.entries(kept.notes).filter(([key]) => kept.current.some((name) => key.startsWith(name)))),
      });
      await this.sweep();
    });
  }

  /**
   * @param {string} base
   * @param {string} key begins with the SHA-256 of the file that it is about
   * @returns {Promise<unknown>} null where nothing was noted
   */
  async readNote(base, key) {
    return (await this.keptOf(base))?.notes[key] ?? null;
  }

  /** @param {string} base @param {string} key @param {unknown} note */
  async writeNote(base, key, note) {
    await this.change(base, (kept) => kept && { ...kept, notes: { ...kept.notes, [key]: note } });
  }
}

/** @param {ChunkedFile[]} files @returns {KeptFile[]} */
function briefly(files) {
  return files.map(({ sha256: name, bytes, chunkBytes }) => ({ sha256: name, bytes, chunkBytes }));
}

/** @param {KeptFile[]} files @returns {KeptFile[]} each once, in the chunks of the last that names it: it wrote the marks */
function once(files) {
  return [...new Map(files.map((file) => [file.sha256, file])).values()];
}
