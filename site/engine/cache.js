/**
 * Verified chunks in the browser's Cache API, one entry a chunk, keyed by the file's address and the chunk's number.
 * Whatever the store refuses (quota, private mode), loading goes on without it.
 */

const STORE = 'thistledown-chunks-1';
const CHUNK = 'thistledown-chunk';

/** @typedef {import('./manifest.js').ChunkedFile} ChunkedFile */

export class ChunkCache {
  /** @param {Cache | null} store null: nothing is found and nothing is kept */
  constructor(store) {
    this.store = store;
  }

  /** @returns {Promise<ChunkCache>} */
  static async open() {
    try {
      return new ChunkCache(await caches.open(STORE));
    } catch {
      return new ChunkCache(null);
    }
  }

  /** @param {string} url @param {number} index */
  static key(url, index) {
    return `${url}?${CHUNK}=${index}`;
  }

  /**
   * @param {string} url
   * @param {number} index
   * @returns {Promise<ReadableStream<Uint8Array<ArrayBuffer>> | null>} unverified: the caller checks the hash
   */
  async read(url, index) {
    const response = await this.attempt((store) => store.match(ChunkCache.key(url, index)));
    return response?.body ?? null;
  }

  /**
   * @param {string} url
   * @param {number} index
   * @param {Uint8Array<ArrayBuffer>} bytes verified; may be reused once this returns
   */
  async write(url, index, bytes) {
    const headers = { 'content-type': 'application/octet-stream', 'content-length': String(bytes.byteLength) };
    const stored = await this.attempt(async (store) => {
      await store.put(ChunkCache.key(url, index), new Response(bytes, { headers }));
      return true;
    });
    if (!stored) this.store = null;
  }

  /** @param {string} key @returns {Promise<unknown>} what was noted under it; null where there is nothing fit */
  async readNote(key) {
    const response = await this.attempt((store) => store.match(key));
    return response ? response.json().catch(() => null) : null;
  }

  /** @param {string} key @param {unknown} note */
  async writeNote(key, note) {
    await this.attempt((store) => store.put(key, Response.json(note)));
  }

  /** @param {string} url @param {number} index */
  async drop(url, index) {
    await this.attempt((store) => store.delete(ChunkCache.key(url, index)));
  }

  /**
   * @param {string} base a folder's address
   * @returns {Promise<string[]>} the keys of every chunk kept from that folder
   */
  async keysUnder(base) {
    const requests = await this.attempt((store) => store.keys());
    return (requests ?? []).map(({ url }) => url).filter((url) => url.startsWith(base) && !url.includes('/', base.length));
  }

  /**
   * Drops what an older version of the artifact left behind.
   *
   * @param {string} base
   * @param {ChunkedFile[]} files the ones to keep
   * @param {string} [notes] what the keys of the notes to keep begin with
   */
  async prune(base, files, notes) {
    const kept = new Set(files.flatMap((file) => chunkKeys(base, file)));
    const isKept = (/** @type {string} */ key) => kept.has(key) || (notes !== undefined && key.startsWith(notes));
    const stale = (await this.keysUnder(base)).filter((key) => !isKept(key));
    await Promise.all(stale.map((key) => this.attempt((store) => store.delete(key))));
  }

  /**
   * @param {string} base
   * @param {ChunkedFile[]} files
   * @returns {Promise<number>} bytes of `files` that are kept
   */
  async bytesKept(base, files) {
    const kept = new Set(await this.keysUnder(base));
    return files.reduce((sum, file) => sum + keptBytes(base, file, kept), 0);
  }

  /**
   * @template T
   * @param {(store: Cache) => Promise<T>} use
   * @returns {Promise<T | undefined>} undefined where the store is absent or refuses
   */
  async attempt(use) {
    try {
      return this.store ? await use(this.store) : undefined;
    } catch {
      return undefined;
    }
  }
}

/** @param {string} base @param {ChunkedFile} file @returns {string[]} */
function chunkKeys(base, { file, chunks }) {
  return chunks.map((_, i) => ChunkCache.key(base + file, i));
}

/** @param {string} base @param {ChunkedFile} file @param {Set<string>} kept @returns {number} */
function keptBytes(base, file, kept) {
  return chunkKeys(base, file).reduce((sum, key, i) => sum + (kept.has(key) ? chunkLength(file, i) : 0), 0);
}

/**
 * @param {ChunkedFile} file
 * @param {number} index
 * @returns {number} bytes of that chunk; the last may be short
 */
export function chunkLength({ bytes, chunkBytes }, index) {
  return Math.min(chunkBytes, bytes - index * chunkBytes);
}
