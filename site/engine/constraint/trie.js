/** Tokens as a tree of bytes, flat and in the order of a walk, so that tokens that begin alike are tried together. */

/** @typedef {{ id: number, bytes: number[] }} Token of one byte or more */
/**
 * @typedef {object} Trie
 * @property {Uint8Array} bytes one a node, by which it is reached from the nearest node before it that is one less deep
 * @property {Uint16Array} depths 0 for the first byte of a token
 * @property {Uint32Array} skips the first node behind all that are below this one
 * @property {Uint32Array} firsts of its tokens in `ids`, which end where those of the next node begin
 * @property {Uint32Array} ids
 * @property {number} deepest
 */

/** @param {number[]} one @param {number[]} other @returns {number} how many bytes they share at the start */
function sharedLength(one, other) {
  const most = Math.min(one.length, other.length);
  let length = 0;
  while (length < most && one[length] === other[length]) length += 1;
  return length;
}

/** @param {Token} one @param {Token} other @returns {number} */
function byBytes({ bytes: one }, { bytes: other }) {
  const at = sharedLength(one, other);
  return (one[at] ?? -1) - (other[at] ?? -1);
}

/** @param {Token[]} tokens @returns {Token[]} in the order of their bytes; those of the first two are sorted out at once */
function sorted(tokens) {
  /** @type {Token[][]} */
  const groups = [];
  for (const token of tokens) {
    const [first, second = -1] = token.bytes;
    (groups[first * 257 + second + 1] ??= []).push(token);
  }
  return groups.flatMap((group) => group.sort(byBytes));
}

/** @param {Token[]} tokens @returns {Trie} */
export function makeTrie(tokens) {
  const ordered = sorted(tokens);
  /** @type {number[]} */
  const bytes = [];
  /** @type {number[]} */
  const depths = [];
  /** @type {number[]} */
  const firsts = [];
  ordered.forEach((token, i) => {
    const known = i === 0 ? 0 : sharedLength(ordered[i - 1].bytes, token.bytes);
    for (let depth = known; depth < token.bytes.length; depth++) {
      bytes.push(token.bytes[depth]);
      depths.push(depth);
      // The tokens of a node come behind those of all nodes before it, and only its last byte may end this one.
      firsts.push(i);
    }
  });
  return {
    bytes: Uint8Array.from(bytes),
    depths: Uint16Array.from(depths),
    skips: skipsOf(depths),
    firsts: Uint32Array.from([...firsts, ordered.length]),
    ids: Uint32Array.from(ordered, ({ id }) => id),
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
