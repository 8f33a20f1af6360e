/** A page that brings a model in memory, on a store and a network of its own process. */

import { EngineError } from '/engine/errors.js';
import { Progress } from '/engine/progress.js';
import { Library } from '/engine/storage/library.js';
import { noStore } from '/engine/storage/store.js';
import { Gate } from '/engine/transfer/gate.js';
import { makeSupply } from '/engine/transfer/supply.js';
import { bringModel } from './bring_model.js';
import { Shelf, ShelfMount } from './cache.js';
import { Disk, Mount } from './disk.js';
import { Network } from './network.js';

/** What keeps chunks: what survives a process, and a process's view of it. */
export const PLACES = {
  opfs: { make: () => new Disk(), mount: (disk, meet) => new Mount(disk, meet) },
  // Browsers whose handles know no mode lend a file to one reader at a time.
  'opfs without modes': { make: () => Object.assign(new Disk(), { knowsModes: false }), mount: (disk, meet) => new Mount(disk, meet) },
  cache: { make: () => new Shelf(), mount: (shelf, meet) => new ShelfMount(shelf, meet) },
};
export const BASE = 'https://models.test/tiny/';
/** Two chunks of most models. */
const SMALL = { runBytes: 128, backoffMs: 0.02 };
const FAULTY = { stallMs: 10, ...SMALL };
/** A busy machine is no fault. */
const SOUND = { stallMs: 20_000, ...SMALL };

export class Visit {
  /**
   * @param {object} model
   * @param {{ place: string, kept: Disk | Shelf, meet?: Function, network?: Network, base?: string }} options without `meet` all goes well
   */
  constructor(model, { place, kept, meet, network, base = BASE }) {
    const heed = meet ?? (() => null);
    this.model = model;
    this.base = base;
    this.waits = { ...(meet ? FAULTY : SOUND), partBytes: model.partBytes };
    this.aborter = new AbortController();
    this.gate = new Gate();
    this.got = new Map(model.files.map((file) => [file.file, new Uint8Array(file.bytes)]));
    this.taken = new Set();
    this.mount = PLACES[place].mount(kept, (operation) => heed('disk', operation, this));
    this.network = network ?? new Network(model.bytes, (operation) => heed('network', operation, this));
    this.again = [];
    if (!network) this.network.asked = (name, start, end) => this.noteAsked(name, start, end);
  }

  die() {
    this.mount.frozen = true;
    this.aborter.abort();
  }

  /** A request for a stretch must be for nothing that was verified already. */
  noteAsked(name, start, end) {
    const file = this.model.files.find((each) => each.file === name);
    for (let at = start - (start % file.chunkBytes); at < end; at += file.chunkBytes) {
      if (this.taken.has(`${name} ${at}`)) this.again.push(`${name} at ${at}`);
    }
  }

  async run() {
    globalThis.fetch = this.network.fetch;
    const store = await this.mount.open().catch(noStore);
    this.library = new Library(store);
    this.progress = new Progress(() => undefined, this.model.total);
    this.supply = Object.assign(makeSupply(this.base, store, this.progress, this.aborter.signal, this.gate), this.waits);
    await bringModel(this.model, this.supply, ({ file }, chunk, offset) => {
      this.got.get(file).set(chunk, offset);
      this.taken.add(`${file} ${offset}`);
    });
  }

  /** @returns {Promise<{ code: string, wrong: string[] }>} what it ended with, and what must never be */
  async outcome() {
    const cause = await this.run().then(() => null, (thrown) => thrown);
    const wrong = this.again.map((what) => `verified chunk asked for again: ${what}`);
    if (cause === null && !this.isRight()) wrong.push('wrong bytes');
    if (cause !== null && !(cause instanceof EngineError)) wrong.push(`untyped ${cause?.stack ?? cause}`);
    return { code: cause === null ? 'none' : cause.code ?? String(cause), wrong };
  }

  isRight() {
    return this.model.files.every(({ file }) => isSame(this.got.get(file), this.model.bytes.get(file)));
  }
}

/** @param {Uint8Array | undefined} some @param {Uint8Array} other */
export function isSame(some, other) {
  return some?.length === other.length && some.every((byte, at) => byte === other[at]);
}
