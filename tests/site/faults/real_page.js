/** What a page does in a fault run: starts visits, looks into the private file system, and spoils what lies there. */

import { sha256 } from '/engine/hashing.js';
import { begunBytes as begunOf } from '/engine/storage/chunks.js';
import { Library } from '/engine/storage/library.js';
import { openStore } from '/engine/storage/store.js';

const ROOT = 'thistledown-2';

/** @param {object} order of real_visit.js @returns {Promise<object>} how it ended */
export function start(order) {
  const worker = new Worker('/faults/real_visit.js', { type: 'module' });
  globalThis.visit = worker;
  globalThis.shown = 0;
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => {
      globalThis.shown = Math.max(globalThis.shown, data.loaded ?? 0);
      if (!data.report) return;
      worker.terminate();
      resolve(data.report);
    };
    worker.onerror = (event) => reject(new Error(`${event.message} (${event.filename}:${event.lineno})`));
    worker.postMessage(order);
  });
}

/** @param {string} folder @returns {Promise<FileSystemDirectoryHandle | null>} */
async function folderOf(folder) {
  const top = navigator.storage.getDirectory().then((root) => root.getDirectoryHandle(ROOT));
  return top.then((found) => found.getDirectoryHandle(folder)).catch(() => null);
}

/** @param {FileSystemDirectoryHandle | null} folder @param {string} name @returns {Promise<Uint8Array<ArrayBuffer>>} */
async function bytesOf(folder, name) {
  const file = await folder?.getFileHandle(name).then((handle) => handle.getFile()).catch(() => null);
  return new Uint8Array((await file?.arrayBuffer()) ?? 0);
}

/** @param {any[]} files @returns {Promise<number>} bytes of them that are kept and right */
export async function keptBytes(files) {
  const folder = await folderOf('files');
  let sum = 0;
  for (const { sha256: name, chunkBytes, chunks } of files) {
    const [data, marks] = await Promise.all([bytesOf(folder, `${name}.data`), bytesOf(folder, `${name}.kept`)]);
    for (const [index, hash] of chunks.entries()) {
      const chunk = data.slice(index * chunkBytes, (index + 1) * chunkBytes);
      if (marks[index] === 1 && (await sha256(chunk)) === hash) sum += chunk.length;
    }
  }
  return sum;
}

/** @param {any[]} files @returns {Promise<number>} bytes of chunks of theirs that are not whole, by their marks */
export async function begunBytes(files) {
  const folder = await folderOf('files');
  let sum = 0;
  for (const file of files) {
    const marks = await bytesOf(folder, `${file.sha256}.kept`);
    sum += marks.reduce((all, mark, index) => all + begunOf(file, index, mark), 0);
  }
  return sum;
}

/** @param {string} base @returns {Promise<unknown>} the manifest by which a visit without a network would go */
export async function manifestOf(base) {
  return JSON.parse((await new Library(await openStore()).keptOf(base))?.manifest ?? 'null');
}

/** @param {string} base */
export async function forget(base) {
  await new Library(await openStore()).forget(base);
}

/** @returns {Promise<string[]>} paths of what is kept */
export async function entries() {
  const found = [];
  for (const name of ['files', 'records']) {
    for await (const key of (await folderOf(name))?.keys() ?? []) found.push(`${name}/${key}`);
  }
  return found.sort();
}

const SPOILS = {
  empty: () => new Uint8Array(),
  'cut in half': (bytes) => bytes.slice(0, bytes.length >> 1),
  'a bit flipped': (bytes) => bytes.map((byte, at) => (at === bytes.length >> 1 ? byte ^ 1 : byte)),
  zeros: (bytes) => bytes.map(() => 0),
  ones: (bytes) => bytes.map(() => 1),
};

/** @param {string} path @param {string} how `gone`, or one of the above */
export async function spoil(path, how) {
  const [folderName, name] = path.split('/');
  const folder = /** @type {FileSystemDirectoryHandle} */ (await folderOf(folderName));
  if (how === 'gone') return folder.removeEntry(name);
  const bytes = SPOILS[how](await bytesOf(folder, name));
  const file = await (await folder.getFileHandle(name)).createWritable();
  await file.write(bytes);
  return file.close();
}
