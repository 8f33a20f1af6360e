/** The texts of a file: lines, a column of a table, or a field of JSON objects. */

import { SiteError } from '../catalogue.js';
import { text as say } from '../texts.js';
import { CsvError, readCsv } from './csv.js';

/**
 * @typedef {object} TextTable
 * @property {string[]} columns their names; one without a name where there are none
 * @property {string[][]} rows
 * @property {boolean} mayBeginWithNames whether the first row may hold the names of the columns
 */

export const MOST_TEXTS = 10_000;
const KINDS = [
  { ending: /\.(csv|tsv)$/i, read: tableOfCsv },
  { ending: /\.(jsonl|ndjson)$/i, read: tableOfJsonLines },
];

/**
 * @param {string} name of the file; its ending says what it holds, and lines of text where it says nothing
 * @param {string} content
 * @returns {TextTable}
 * @throws {SiteError} TABLE_INVALID, TEXT_TOO_LARGE
 */
export function tableOf(name, content) {
  const read = KINDS.find(({ ending }) => ending.test(name))?.read ?? tableOfLines;
  const table = read(name, content.replace(/^\uFEFF/, ''));
  const n = table.rows.length;
  if (n > MOST_TEXTS + 1) throw new SiteError('TEXT_TOO_LARGE', say('table.tooMany', { name, n, limit: MOST_TEXTS }));
  return table;
}

/** @param {string} content @returns {string[]} each line that holds anything */
export function linesOf(content) {
  return content.split(/\r\n|\r|\n/).map((line) => line.trim()).filter((line) => line !== '');
}

/**
 * The texts of a column.
 * @param {TextTable} table
 * @param {number} column
 * @param {boolean} named whether the first row holds names
 */
export function textsIn({ rows }, column, named) {
  const cells = rows.slice(named ? 1 : 0).map((row) => (row[column] ?? '').trim());
  return cells.filter((cell) => cell !== '').slice(0, MOST_TEXTS);
}

/** The column with the longest texts, which is most likely the one that is meant. @param {TextTable} table */
export function likelyColumn({ columns, rows }) {
  const lengths = columns.map((_, i) => rows.slice(0, 100).reduce((sum, row) => sum + (row[i] ?? '').length, 0));
  return lengths.indexOf(Math.max(...lengths));
}

/** @param {string} _name @param {string} content @returns {TextTable} */
function tableOfLines(_name, content) {
  return { columns: [''], rows: linesOf(content).map((line) => [line]), mayBeginWithNames: false };
}

/** @param {string} name @param {string} content @returns {TextTable} */
function tableOfCsv(name, content) {
  try {
    const rows = readCsv(content);
    const width = rows.reduce((most, row) => Math.max(most, row.length), 1);
    const columns = Array.from({ length: width }, (_, i) => rows[0]?.[i] ?? '');
    return { columns, rows, mayBeginWithNames: true };
  } catch (error) {
    if (error instanceof CsvError) throw new SiteError('TABLE_INVALID', say('table.openQuote', { name, line: error.line }));
    throw error;
  }
}

/** @param {string} name @param {string} content @returns {TextTable} */
function tableOfJsonLines(name, content) {
  const objects = content.split('\n').flatMap((line, i) => (line.trim() === '' ? [] : [fieldsOf(name, line, i + 1)]));
  const columns = [...new Set(objects.flatMap((fields) => Object.keys(fields)))];
  const rows = objects.map((fields) => columns.map((column) => fields[column] ?? ''));
  return { columns: columns.length === 0 ? [''] : columns, rows, mayBeginWithNames: false };
}

/**
 * @param {string} name
 * @param {string} line of JSON: a text, or an object with texts in it
 * @param {number} number of the line
 * @returns {Record<string, string>}
 */
function fieldsOf(name, line, number) {
  const value = parsed(line);
  if (typeof value === 'string') return { '': value };
  const texts = Object.entries(value ?? {}).filter(([, each]) => typeof each === 'string');
  if (typeof value !== 'object' || Array.isArray(value) || texts.length === 0) {
    throw new SiteError('TABLE_INVALID', say('table.notJson', { name, line: number }));
  }
  return Object.fromEntries(texts);
}

/** @param {string} line @returns {unknown} undefined for what is not JSON */
function parsed(line) {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
