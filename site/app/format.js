/** Numbers as people read them, in the page's language. Sizes are decimal, as browsers and shops count them. */

import { language, text } from './texts.js';

const SIZES = /** @type {const} */ ([
  [1e9, 'gigabyte'],
  [1e6, 'megabyte'],
  [1e3, 'kilobyte'],
]);
const short = new Intl.NumberFormat(language, { maximumSignificantDigits: 3 });
const compact = new Intl.NumberFormat(language, { notation: 'compact', maximumSignificantDigits: 3 });
const whole = new Intl.NumberFormat(language);
const hundredths = new Intl.NumberFormat(language, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const percent = new Intl.NumberFormat(language, { style: 'percent' });
const exactBytes = unit('byte', { unitDisplay: 'long' });
const milliseconds = unit('millisecond', { maximumFractionDigits: 0 });
const megabits = unit('megabit-per-second', { maximumSignificantDigits: 3 });
const day = new Intl.DateTimeFormat(language, { dateStyle: 'medium' });
const languageNames = new Intl.DisplayNames(language, { type: 'language', fallback: 'code' });

/**
 * @param {string} name
 * @param {Intl.NumberFormatOptions} options
 */
function unit(name, options) {
  return new Intl.NumberFormat(language, { style: 'unit', unit: name, ...options });
}

/** @param {number} bytes */
export function formatBytes(bytes) {
  const found = SIZES.find(([size]) => bytes >= size);
  if (found === undefined) return formatExactBytes(bytes);
  const [size, name] = found;
  return unit(name, { maximumSignificantDigits: 3 }).format(bytes / size);
}

/** @param {number} bytes */
export function formatExactBytes(bytes) {
  return exactBytes.format(bytes);
}

/** @param {number} bitsPerSecond */
export function formatRate(bitsPerSecond) {
  return megabits.format(bitsPerSecond / 1e6);
}

/** @param {number} elapsed milliseconds; seconds are not Intl's, which calls them `sec` in English */
export function formatDuration(elapsed) {
  if (elapsed < 1000) return milliseconds.format(Math.max(1, elapsed));
  return text('unit.seconds', { n: elapsed / 1000 });
}

/** Time still to wait. @param {number} left milliseconds */
export function formatRemaining(left) {
  return text('load.left', { time: formatWait(left) });
}

/** A time that is foretold, no finer than anyone could know it. @param {number} wait milliseconds */
export function formatWait(wait) {
  const seconds = Math.ceil(wait / 1000);
  if (seconds < 90) return text('time.seconds', { n: seconds });
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? text('time.minutes', { n: minutes }) : text('time.hours', { n: Math.round(minutes / 60) });
}

/** @param {number} value */
export function formatNumber(value) {
  return short.format(value);
}

/** @param {number} value every digit of it */
export function formatWhole(value) {
  return whole.format(value);
}

/** @param {number} value for example 22.7M */
export function formatCompact(value) {
  return compact.format(value);
}

/** @param {number} value with two decimals, whatever they are */
export function formatHundredths(value) {
  return hundredths.format(value);
}

/** @param {number} part 0 to 1 */
export function formatPercent(part) {
  return percent.format(part);
}

/** @param {string | Date} date a text as Date reads it */
export function formatDay(date) {
  return day.format(new Date(date));
}

/** @param {string} tag BCP 47; an ill-formed one is shown as it is */
export function formatLanguage(tag) {
  try {
    return languageNames.of(tag) ?? tag;
  } catch {
    return tag;
  }
}

/** @param {string[]} tags BCP 47 */
export function formatLanguages(tags) {
  return new Intl.ListFormat(language, { type: 'conjunction' }).format(tags.map(formatLanguage));
}
