/**
 * Patterns of a tokenizer.json as expressions of this language. They are written for Oniguruma: other names, possessive
 * quantifiers, and "i" for a group. https://github.com/kkos/oniguruma/blob/master/doc/RE
 */

/** Inside of a class; by itself it also matches the superscripts and fractions of Latin-1. */
const WORD_IN_CLASS = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}';
const WORD = `${WORD_IN_CLASS}\\xB2\\xB3\\xB9\\xBC-\\xBE`;

/** @type {Record<string, string>} an escape -> what goes into a class */
const CLASSES = {
  s: '\\p{White_Space}', S: '[^\\p{White_Space}]', d: '\\p{Nd}', D: '\\P{Nd}',
  w: WORD_IN_CLASS, W: `[^${WORD_IN_CLASS}]`,
  h: '0-9a-fA-F', H: '[^0-9a-fA-F]', a: '\\x07', e: '\\x1B', n: '\\n', r: '\\r', t: '\\t', f: '\\f', v: '\\v',
};
/** @type {Record<string, string>} an escape outside of a class -> its meaning */
const WHOLE = {
  w: `[${WORD}]`, W: `[^${WORD}]`, A: '(?<![\\s\\S])', z: '(?![\\s\\S])', Z: '(?=\\n?(?![\\s\\S]))', G: '',
  b: `(?:(?<=[${WORD}])(?![${WORD}])|(?<![${WORD}])(?=[${WORD}]))`,
  B: `(?:(?<=[${WORD}])(?=[${WORD}])|(?<![${WORD}])(?![${WORD}]))`,
};
/** @type {Record<string, string>} a name in [:braces:] or \p{} -> what goes into a class */
const NAMES = {
  alpha: '\\p{Alphabetic}', alnum: '\\p{Alphabetic}\\p{Nd}', digit: '\\p{Nd}', lower: '\\p{Lowercase}',
  upper: '\\p{Uppercase}', space: '\\p{White_Space}', blank: '\\t\\p{Zs}', punct: '\\p{P}\\p{S}', cntrl: '\\p{Cc}',
  word: WORD_IN_CLASS, xdigit: '0-9a-fA-F', ll: '[\\p{Ll}\\u0295]', lo: '[\\p{Lo}--\\u0295]',
};
const SYNTAX = /[\^$\\.*+?()[\]{}|/\-&!#%,:;<=>@`~]/;

/** @param {string} name of a property @param {boolean} negated @returns {string} what goes into a class */
function property(name, negated) {
  const plain = name.replace(/[ _-]/g, '').toLowerCase();
  if (Object.hasOwn(NAMES, plain)) return negated ? `[^${NAMES[plain]}]` : NAMES[plain];
  const letter = negated ? 'P' : 'p';
  for (const spelling of [name, `Script=${name}`]) {
    try {
      return new RegExp(`\\${letter}{${spelling}}`, 'v').source;
    } catch {
      continue;
    }
  }
  throw new SyntaxError(`unknown property ${name}`);
}

/** @param {string} character @returns {string} */
function literal(character) {
  return SYNTAX.test(character) ? `\\u{${character.charCodeAt(0).toString(16)}}` : character;
}

/** @param {string} character @returns {string} what goes into a class: the letter in every case */
function folded(character) {
  const extra = /** @type {Record<string, string>} */ ({ s: '\u017F', k: '\u212A' })[character.toLowerCase()] ?? '';
  const cases = new Set([character, character.toLowerCase(), character.toUpperCase()]);
  return [...cases].filter((each) => [...each].length === 1).map(literal).join('') + extra;
}

/** Reads a pattern from its beginning to its end, and writes it anew. */
class Translation {
  /** @param {string} source */
  constructor(source) {
    this.source = source;
    this.at = 0;
    this.atoms = 0;
    this.folds = false;
  }

  /** @param {RegExp} form sticky @returns {RegExpExecArray | null} what stands here; it is then read */
  take(form) {
    form.lastIndex = this.at;
    const found = form.exec(this.source);
    if (found) this.at = form.lastIndex;
    return found;
  }

  /** @returns {string} up to the end of the group */
  alternatives() {
    const folds = this.folds;
    let out = '';
    while (this.at < this.source.length && this.source[this.at] !== ')') {
      if (this.take(/\|/y)) out += '|';
      else if (this.take(/\(\?i\)/y)) this.folds = true;
      else out += this.quantified(this.atom());
    }
    this.folds = folds;
    return out;
  }

  /** @param {string} atom @returns {string} */
  quantified(atom) {
    const found = this.take(/([*+?]|\{\d+(?:,\d*)?\}|\{,\d+\})([+?]?)/y);
    if (!found) return atom;
    const times = found[1].startsWith('{,') ? `{0${found[1].slice(1)}` : found[1];
    if (found[2] !== '+') return `${atom}${times}${found[2]}`;
    return found[1].length > 1 ? `(?:${atom}${times})+` : this.atomic(`${atom}${times}`);
  }

  /** @param {string} inner @returns {string} that never gives back what it took */
  atomic(inner) {
    this.atoms += 1;
    return `(?:(?=(?<atom${this.atoms}>${inner}))\\k<atom${this.atoms}>)`;
  }

  /** @returns {string} one character, class, anchor or group */
  atom() {
    if (this.source[this.at] === '(') return this.group();
    if (this.source[this.at] === '[') return this.characterClass();
    const whole = this.take(/\\([wWAzZGbB])/y);
    if (whole) return WHOLE[whole[1]];
    const escaped = this.escaped();
    if (escaped !== null) return `[${escaped}]`;
    const [character] = /** @type {RegExpExecArray} */ (this.take(/\\?([\s\S])/uy));
    const last = character.replace(/^\\(?=.)/su, '');
    if (character === '.') return '[^\\n]';
    if (character === '^') return '(?<![^\\n])';
    if (character === '$') return '(?![^\\n])';
    return this.folds ? `[${folded(last)}]` : literal(last);
  }

  /** @returns {string} */
  group() {
    const found = /** @type {RegExpExecArray} */ (this.take(/\((?:\?(?:i:|[:=!>]|<[=!]|<\w+>))?/y));
    const folds = this.folds;
    if (found[0] === '(?i:') this.folds = true;
    const inner = this.alternatives();
    this.folds = folds;
    if (!this.take(/\)/y)) throw new SyntaxError('a group has no end');
    if (found[0] === '(?>') return this.atomic(inner);
    const opening = /^\(\?(?:[=!]|<[=!])/.test(found[0]) ? found[0] : '(?:';
    return `${opening}${inner})`;
  }

  /** @returns {string | null} what goes into a class; null where no such escape stands */
  escaped() {
    const named = this.take(/\\([pP])\{(\^?)([^}]*)\}/y);
    if (named) return property(named[3], (named[1] === 'P') !== (named[2] === '^'));
    const number = this.take(/\\x\{([0-9A-Fa-f]+)\}|\\x([0-9A-Fa-f]{2})|\\u([0-9A-Fa-f]{4})/y);
    if (number) return `\\u{${number[1] ?? number[2] ?? number[3]}}`;
    const short = this.take(/\\([sSdDwWhHaenrtfv])/y);
    return short ? CLASSES[short[1]] : null;
  }

  /** @returns {string} a class, brackets and all */
  characterClass() {
    const [opening] = /** @type {RegExpExecArray} */ (this.take(/\[\^?/y));
    const sides = [this.take(/\]/y) ? '\\]' : ''];
    while (!this.take(/\]/y)) {
      if (this.at >= this.source.length) throw new SyntaxError('a class has no end');
      if (this.take(/&&/y)) sides.push('');
      else sides[sides.length - 1] += this.member();
    }
    const inside = sides.length === 1 ? sides[0] : sides.map((side) => `[${side}]`).join('&&');
    return `${opening}${inside}]`;
  }

  /** @returns {string} one part of a class */
  member() {
    const posix = this.take(/\[:(\^?)(\w+):\]/y);
    if (posix) return property(posix[2], posix[1] === '^');
    if (this.source[this.at] === '[') return this.characterClass();
    const escaped = this.escaped();
    if (escaped !== null) return escaped.startsWith('\\u{') ? this.range(escaped) : escaped;
    const [, first] = /** @type {RegExpExecArray} */ (this.take(/\\?([\s\S])/uy));
    return this.range(this.folds ? folded(first) : literal(first));
  }

  /** @param {string} first @returns {string} it, or the range that begins with it */
  range(first) {
    if (!this.take(/-(?![\]&[])/y)) return first;
    const escaped = this.escaped();
    const last = escaped ?? literal(/** @type {RegExpExecArray} */ (this.take(/\\?([\s\S])/uy))[1]);
    const whole = `${first.length > 1 && this.folds ? first[0] : first}-${last}`;
    return this.folds && /^[a-zA-Z]-[a-zA-Z]$/.test(whole) ? `${whole.toLowerCase()}${whole.toUpperCase()}` : whole;
  }
}

/**
 * @param {{ Regex?: string, String?: string }} pattern
 * @returns {RegExp} global
 * @throws {SyntaxError}
 */
export function compilePattern({ Regex: source, String: text }) {
  if (typeof text === 'string') return new RegExp(Array.from(text, literal).join('') || '(?!)', 'gv');
  const translation = new Translation(String(source));
  const out = translation.alternatives();
  if (translation.at < translation.source.length) throw new SyntaxError('a group has no beginning');
  return new RegExp(out, 'gv');
}
