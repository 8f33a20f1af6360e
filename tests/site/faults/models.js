/** Models of a few hundred bytes, of several shapes and versions. */

import { sha256 } from '/engine/hashing.js';

/** Of chunks of that shape, bytes that are kept as soon as they have come; of others a visit keeps 64 KiB, hence whole chunks. */
const PART_BYTES = { begun: 10 };

/** Of each shape, the files: bytes, and bytes a chunk. */
export const SHAPES = {
  usual: [[100, 100], [330, 64], [200, 64]],
  tails: [[65, 64], [128, 64], [1, 64], [127, 64]],
  one: [[40, 40]],
  // What comes of a chunk is kept long before the chunk is whole.
  begun: [[100, 100], [330, 64], [40, 64]],
};

/**
 * @param {string} shape
 * @param {number} [version] the second has the first file of the first, and others of its own
 */
export async function makeModel(shape, version = 1) {
  const files = [];
  const bytes = new Map();
  for (const [at, [size, chunkBytes]] of SHAPES[shape].entries()) {
    const seed = at * 17 + (at > 0 ? version * 29 : 0);
    const body = Uint8Array.from({ length: size }, (_, i) => (i * 31 + seed + (i >> 3)) % 251);
    files.push(await record(body, chunkBytes));
    bytes.set(files.at(-1).file, body);
  }
  const total = files.reduce((sum, file) => sum + file.bytes, 0);
  return { files, bytes, total, partBytes: PART_BYTES[shape], manifest: { version, files: files.map((file) => file.sha256) } };
}

/** @param {Uint8Array<ArrayBuffer>} body @param {number} chunkBytes */
export async function record(body, chunkBytes) {
  const chunks = [];
  for (let start = 0; start < body.length; start += chunkBytes) chunks.push(await sha256(body.slice(start, start + chunkBytes)));
  const name = await sha256(body);
  return { file: `${name}.bin`, bytes: body.length, sha256: name, chunkBytes, chunks };
}
