/** Reads the JSON object that a model writes, as far as it has come, and bears with what a small model gets wrong. */

/** @typedef {{ value: string | null, done: boolean }} Field `done`: the value has come to its end */

/** A name and its text, which may still be written, or another word, which ends where something else begins. */
const MEMBER = /[\s,]*"((?:[^"\\]|\\.)*)"\s*:\s*(?:"((?:[^"\\]|\\.)*)(?:(")|\\?$)|([\w+.-]+)(?=[^\w+.-]))/suy;
const END = /[\s,]*\}/y;
const ESCAPE = /\\(?:u([0-9a-f]{4})|u[0-9a-f]{0,3}$|(.))/gisu;
const HALF_A_CHARACTER = /[\ud800-\udbff]$/;
/** @type {Record<string, string>} */
const MEANS = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f' };

/**
 * Text around the object, commas too many or too few and unknown escapes do no harm; anything else ends the reading.
 * @param {string} written
 * @returns {{ fields: Map<string, Field>, complete: boolean }} `complete`: the object was read to its end
 */
export function readFields(written) {
  const fields = new Map();
  let at = written.indexOf('{') + 1;
  if (at === 0) return { fields, complete: false };
  for (let found; (found = matchAt(MEMBER, written, at)); at += found[0].length) {
    const [, name, text, mark, word] = found;
    const value = word === undefined ? unescaped(text ?? '') : word === 'null' ? null : word;
    fields.set(unescaped(name ?? ''), { value, done: (mark ?? word) !== undefined });
  }
  return { fields, complete: matchAt(END, written, at) !== null };
}

/**
 * @param {RegExp} sticky
 * @param {string} text
 * @param {number} at
 */
function matchAt(sticky, text, at) {
  sticky.lastIndex = at;
  return sticky.exec(text);
}

/** What a text says; a character of which only the first half was written is left out. @param {string} text */
function unescaped(text) {
  const plain = text.replace(ESCAPE, (_, code, other = '') =>
    code === undefined ? (MEANS[other] ?? other) : String.fromCharCode(parseInt(code, 16)),
  );
  return plain.replace(HALF_A_CHARACTER, '');
}
