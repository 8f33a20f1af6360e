/** Tables as comma-separated values (RFC 4180): read with any usual separator, written so that no cell is a formula. */

const SEPARATORS = [',', ';', '\t'];
/** What spreadsheets take for the beginning of a formula. */
const FORMULA = /^[=+\-@\t\r\n]/;

export class CsvError extends Error {
  /** @param {number} line in which a quote is not closed, or something follows it in its cell */
  constructor(line) {
    super(`a quote is out of place in line ${line}`);
    this.line = line;
  }
}

/**
 * @param {string} text
 * @returns {string[][]} rows of cells; lines without anything are left out
 * @throws {CsvError}
 */
export function readCsv(text) {
  const separator = separatorOf(text);
  const cell = new RegExp(`"([^"]*(?:""[^"]*)*)"|([^"${separator}\\r\\n][^${separator}\\r\\n]*)?`, 'y');
  /** @type {string[][]} */
  const rows = [];
  /** @type {string[]} */
  let row = [];
  for (let at = 0; at <= text.length; at++) {
    cell.lastIndex = at;
    const found = cell.exec(text);
    if (found === null || (found[0] === '' && text[at] === '"')) throw new CsvError(lineOf(text, at));
    row.push(found[1]?.replaceAll('""', '"') ?? found[2] ?? '');
    at += found[0].length;
    if (at < text.length && text[at] === separator) continue;
    if (text[at] === '\r' && text[at + 1] === '\n') at++;
    else if (at < text.length && text[at] !== '\n' && text[at] !== '\r') throw new CsvError(lineOf(text, at));
    if (row.some((value) => value !== '')) rows.push(row);
    row = [];
  }
  return rows;
}

/**
 * @param {(string | number)[][]} rows
 * @returns {string} with the mark that tells spreadsheets of UTF-8
 */
export function writeCsv(rows) {
  return `\uFEFF${rows.map((row) => `${row.map(cellOf).join(',')}\r\n`).join('')}`;
}

/** @param {string | number} value numbers are never formulas, negative ones neither */
function cellOf(value) {
  if (typeof value === 'number') return String(value);
  const safe = FORMULA.test(value) ? `'${value}` : value;
  return /[",;\t\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** The separator that the first line has most of. @param {string} text */
function separatorOf(text) {
  const first = (/^[^\r\n]*/.exec(text)?.[0] ?? '').replace(/"(?:[^"]|"")*"/g, '');
  const counts = SEPARATORS.map((separator) => first.split(separator).length);
  return SEPARATORS[counts.indexOf(Math.max(...counts))];
}

/** @param {string} text @param {number} at */
function lineOf(text, at) {
  return text.slice(0, at).split(/\r\n|\r|\n/).length;
}
