/** A vocabulary as a tree of bytes, flat and in the order of a walk, so that tokens that begin alike are tried together. */

/** @typedef {(id: number) => number[] | null} BytesOf of a token; null for one that writes no text */

/**
 * @typedef {object} Trie node i is reached by `bytes[i]` from the nearest node before it that is one less deep
 * @property {Uint8Array} bytes
 * @property {Uint16Array} depths 0 for the first byte of a token
 * @property {Uint32Array} skips the first node behind all that are below this one
 * @property {Uint32Array} firsts of its tokens in `ids`, which end where those of the next node begin
 * @property {Uint32Array} ids
 * @property {number} deepest
 */

/** @param {string} one @param {string} other @returns {number} how many characters they share at the start */
function sharedLength(one, other) {
  const most = Math.min(one.length, other.length);
  let length = 0;
  while (length < most && one.charCodeAt(length) === other.charCodeAt(length)) length += 1;
  return length;
}

/** @param {number} vocabulary @param {BytesOf} bytesOf @returns {[string, number][]} bytes as characters, in their order */
function sortedTokens(vocabulary, bytesOf) {
  /** @type {[string, number][]} */
  const tokens = [];
  for (let id = 0; id < vocabulary; id++) {
    const bytes = bytesOf(id);
    if (bytes && bytes.length > 0) tokens.push([String.fromCharCode(...bytes), id]);
  }
  return tokens.sort(([a, i], [b, j]) => (a < b ? -1 : a > b ? 1 : i - j));
}

/** @param {number} vocabulary @param {BytesOf} bytesOf @returns {Trie} */
export function makeTrie(vocabulary, bytesOf) {
  const tokens = sortedTokens(vocabulary, bytesOf);
  /** @type {number[]} */
  const bytes = [];
  /** @type {number[]} */
  const depths = [];
  /** @type {number[]} */
  const firsts = [];
  let before = '';
  tokens.forEach(([text], i) => {
    for (let depth = sharedLength(before, text); depth < text.length; depth++) {
      bytes.push(text.charCodeAt(depth));
      depths.push(depth);
      // The tokens of a node come behind those of all nodes before it, and only its last byte may end this one.
      firsts.push(i);
    }
    before = text;
  });
  firsts.push(tokens.length);
  return {
    bytes: Uint8Array.from(bytes),
    depths: Uint16Array.from(depths),
    skips: skipsOf(depths),
    firsts: Uint32Array.from(firsts),
    ids: Uint32Array.from(tokens, ([, id]) => id),
    deepest: depths.reduce((most, depth) => Math.max(most, depth + 1), 0),
  };
}

/** @param {number[]} depths @returns {Uint32Array} */
function skipsOf(depths) {
  const skips = new Uint32Array(depths.length);
  /** @type {number[]} nodes to come, each as deep as the one under it, or deeper */
  const coming = [];
  for (let i = depths.length - 1; i >= 0; i--) {
    while (coming.length > 0 && depths[coming[coming.length - 1]] > depths[i]) coming.pop();
    skips[i] = coming[coming.length - 1] ?? depths.length;
    coming.push(i);
  }
  return skips;
}
