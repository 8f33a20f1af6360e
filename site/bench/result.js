/** What a measurement gives, and the check that something from outside is one. */

import { formatBytes, formatDuration, formatNumber } from '../app/format.js';
import { text as say } from '../app/texts.js';

/**
 * @typedef {object} Row a workload; times are milliseconds of each round, by engine
 * @property {string} name as `nameInWords` knows it
 * @property {number} tokens that one time is for
 * @property {Record<string, number[]>} milliseconds
 */
/**
 * @typedef {object} Result
 * @property {{ title: string, quantization: string }} model
 * @property {{ name: string, software: boolean, browser: string }} device
 * @property {string} date ISO, or empty
 * @property {Row[]} workloads
 * @property {string[]} notes
 */

export const OURS = 'thistledown';
const MOST_ROWS = 64;
const MOST_ROUNDS = 1000;
const MOST_LETTERS = 400;
const MOST_ENGINES = 8;
const MOST_NOTES = 24;
/** Of milliseconds and of tokens: what is drawn are their quotients, which must be numbers. */
const LEAST = 1e-6;
const MOST = 1e12;

/** @param {unknown} value @returns {value is Record<string, unknown>} */
function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @param {unknown} value @returns {string} */
function text(value) {
  return typeof value === 'string' ? value.slice(0, MOST_LETTERS) : '';
}

/** @param {unknown} value @returns {value is number} */
function isSensible(value) {
  return typeof value === 'number' && value >= LEAST && value <= MOST;
}

/** @param {unknown} value @returns {number[] | null} */
function times(value) {
  if (!Array.isArray(value) || value.length === 0 || value.length > MOST_ROUNDS) return null;
  return value.every(isSensible) ? value : null;
}

/** @param {unknown} value @returns {Row | null} */
function row(value) {
  if (!isObject(value) || !isObject(value.milliseconds)) return null;
  const { tokens } = value;
  if (!isSensible(tokens)) return null;
  const milliseconds = Object.create(null);
  for (const [engine, given] of Object.entries(value.milliseconds).slice(0, MOST_ENGINES)) {
    const read = times(given);
    if (read) milliseconds[text(engine)] = read;
  }
  return milliseconds[OURS] ? { name: text(value.name), tokens, milliseconds } : null;
}

/** @param {Record<string, unknown>} device */
function deviceName({ name, vendor, architecture, description }) {
  return text(name) || [vendor, architecture, description].map(text).filter(Boolean).join(' ');
}

/**
 * @param {unknown} value of this page's link, or of a file that `thistledown bench -o` has written
 * @returns {Result}
 * @throws {TypeError} for anything else
 */
export function readResult(value) {
  const fault = new TypeError(say('bench.noResult'));
  if (!isObject(value) || !isObject(value.model) || !isObject(value.device) || !Array.isArray(value.workloads)) throw fault;
  const rows = value.workloads.slice(0, MOST_ROWS).map(row).filter((found) => found !== null);
  if (rows.length === 0) throw fault;
  const { model, device } = value;
  return {
    model: { title: text(model.title), quantization: text(model.quantization) },
    device: { name: deviceName(device), software: device.software === true, browser: text(device.browser) },
    date: Number.isNaN(Date.parse(text(value.date))) ? '' : text(value.date),
    workloads: rows,
    notes: notesOf(value),
  };
}

/** @param {unknown} value @returns {Record<string, unknown>[]} */
function objects(value) {
  return Array.isArray(value) ? value.slice(0, MOST_NOTES).filter(isObject) : [];
}

/** @param {Record<string, unknown>} value @returns {string[]} what else a reader should know, of a link or of the command's file */
function notesOf({ notes, engines, checks }) {
  if (Array.isArray(notes)) return notes.slice(0, MOST_NOTES).map(text).filter(Boolean);
  return [...objects(engines).map(engineNote), ...objects(checks).map(checkNote)].filter(Boolean).slice(0, MOST_NOTES);
}

/** @param {Record<string, any>} engine */
function engineNote({ name, ok, error, version, loadMs, peakBytes }) {
  if (ok !== true) return `${text(name)}: ${text(error)}`;
  const facts = [
    isSensible(loadMs) && say('bench.loads', { time: formatDuration(loadMs) }),
    isSensible(peakBytes) && say('bench.peak', { size: formatBytes(peakBytes) }),
  ];
  return `${text(name)} ${text(version)}`.trim() + `: ${facts.filter(Boolean).join(', ')}`;
}

/** @param {Record<string, any>} check */
function checkNote({ peer, what, value, limit, agrees }) {
  const numbers = isSensible(limit) && typeof value === 'number' ? ` ${say('bench.limit', { value: formatNumber(value), limit })}` : '';
  return say(agrees === true ? 'bench.agrees' : 'bench.disagrees', { peer: text(peer), what: `${text(what)}${numbers}` });
}

/** @param {string} name of a workload, as this page and the command make it; any other stays as it is */
export function nameInWords(name) {
  const [, kind, count] = /^(prefill|decode at|embed) (\d+)(?: texts)?$/.exec(name) ?? [];
  if (kind === undefined) return name;
  const key = kind === 'prefill' ? 'bench.prefill' : kind === 'embed' ? 'bench.embed' : 'bench.decode';
  return say(key, { n: Number(count) });
}

/** @param {Result} result @returns {string[]} names of the engines, ours first */
export function enginesOf({ workloads }) {
  const names = new Set(workloads.flatMap(({ milliseconds }) => Object.keys(milliseconds)));
  return [OURS, ...[...names].filter((name) => name !== OURS).sort()].slice(0, MOST_ENGINES);
}

/** @param {number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * @param {Row} row
 * @param {string} engine
 * @returns {{ middle: number, low: number, high: number } | null} tokens per second
 */
export function speed({ tokens, milliseconds }, engine) {
  const found = milliseconds[engine];
  if (!found) return null;
  const rate = (/** @type {number} */ ms) => (1000 * tokens) / ms;
  return { middle: rate(median(found)), low: rate(Math.max(...found)), high: rate(Math.min(...found)) };
}

/**
 * @param {Row} row
 * @param {string} peer
 * @returns {{ middle: number, low: number, high: number } | null} how many times as long the peer took, round by round
 */
export function timesAsLong({ milliseconds }, peer) {
  const [ours, theirs] = [milliseconds[OURS], milliseconds[peer]];
  if (!theirs || theirs.length !== ours.length) return null;
  const ratios = theirs.map((ms, round) => ms / ours[round]);
  return { middle: median(ratios), low: Math.min(...ratios), high: Math.max(...ratios) };
}
