/** The words of a text, where they stand in it, and which of the tokenizer's tokens begins each. */

/** @typedef {import('./tokenizer.js').TextTokenizer} TextTokenizer */
/**
 * @typedef {object} Word
 * @property {string} text
 * @property {number} start where it stands: text.slice(start, end)
 * @property {number} end
 * @property {number} token place of its first token among the ids
 */
/** @typedef {{ ids: number[], words: Word[] }} AlignedText */

/** As BERT's pre-tokenizer cuts: at white space, and around each punctuation mark and each ideograph. */
const SIGN = '\\p{P}!-\\/:-@\\[-`\\{-~';
const IDEOGRAPH = [
  '\\u{4E00}-\\u{9FFF}\\u{3400}-\\u{4DBF}\\u{F900}-\\u{FAFF}\\u{20000}-\\u{2A6DF}\\u{2A700}-\\u{2B73F}',
  '\\u{2B740}-\\u{2B81F}\\u{2B920}-\\u{2CEAF}\\u{2F800}-\\u{2FA1F}',
].join('');
const GAP = `\\p{Z}\\t\\n\\r${SIGN}${IDEOGRAPH}`;
/** Characters that leave no trace in the ids are no word's first or last. */
const TRACE = `[^${GAP}\\p{C}\\u{FFFD}]`;
const SEGMENTS = new RegExp(`[${SIGN}${IDEOGRAPH}]|${TRACE}(?:[^${GAP}]*${TRACE})?`, 'gu');

/** So many segments may make one word, such as an added token that is written with signs. */
const MOST_JOINED = 8;

/** @param {string} text @returns {{ start: number, end: number }[]} */
function segmentsOf(text) {
  return [...text.matchAll(SEGMENTS)].map((match) => ({ start: match.index, end: match.index + match[0].length }));
}

/** @param {number[]} part @param {number[]} whole @param {number} at @returns {boolean} */
function standsAt(part, whole, at) {
  return part.every((id, i) => whole[at + i] === id);
}

/** Goes through a text and its tokens side by side. */
class Alignment {
  /**
   * @param {TextTokenizer} tokenizer
   * @param {string} text
   * @param {number[]} bare its ids without special tokens
   */
  constructor(tokenizer, text, bare) {
    this.tokenizer = tokenizer;
    this.text = text;
    this.bare = bare;
    this.segments = segmentsOf(text);
    this.next = 0;
    this.token = 0;
  }

  /** @param {number} kept tokens @returns {Word[]} those whose first token is among them */
  words(kept) {
    const words = [];
    while (this.next < this.segments.length && this.token < kept) {
      const { start } = this.segments[this.next];
      const first = this.token;
      const count = this.step();
      const { end } = this.segments[this.next - 1];
      if (count > 0) words.push({ text: this.text.slice(start, end), start, end, token: first });
    }
    return words;
  }

  /** Takes the fewest segments whose tokens come next; all that are left where none fit. @returns {number} tokens */
  step() {
    for (let joined = 1; joined <= MOST_JOINED && this.next + joined <= this.segments.length; joined++) {
      const ids = this.tokensOf(this.next, this.next + joined);
      if (ids) return this.take(joined, ids.length);
    }
    return this.take(this.segments.length - this.next, this.bare.length - this.token);
  }

  /** @param {number} segments @param {number} tokens @returns {number} */
  take(segments, tokens) {
    this.next += segments;
    this.token += tokens;
    return tokens;
  }

  /**
   * @param {number} first segment
   * @param {number} end
   * @returns {number[] | null} their ids if these come next; some tokenizers need the space before a word
   */
  tokensOf(first, end) {
    const before = first === 0 ? 0 : this.segments[first - 1].end;
    for (const start of new Set([this.segments[first].start, before])) {
      const ids = this.tokenizer.encode(this.text.slice(start, this.segments[end - 1].end), false);
      if (standsAt(ids, this.bare, this.token)) return ids;
    }
    return null;
  }
}

/**
 * @param {TextTokenizer} tokenizer
 * @param {string} text
 * @param {number} most tokens, special ones counted
 * @returns {AlignedText} cut at its end, like `encodeWithin`
 */
export function alignWords(tokenizer, text, most) {
  const read = tokenizer.read(text, most);
  const { whole, bare } = read;
  const { ids } = tokenizer.within(read, most);
  const before = tokenizer.prefixLength(whole, bare);
  const kept = Math.max(0, bare.length - (whole.length - ids.length));
  const words = new Alignment(tokenizer, text, bare).words(kept);
  return { ids, words: words.map((word) => ({ ...word, token: before + word.token })) };
}
