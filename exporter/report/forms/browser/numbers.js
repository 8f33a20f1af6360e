/** Numbers as people read them. */

/**
 * @param {number} bytes
 * @returns {string} "912 B", "23.4 kB", "22.7 MB"
 */
export function human(bytes) {
  const units = ['B', 'kB', 'MB', 'GB'];
  let value = bytes;
  let unit = 0;
  for (; value >= 1000 && unit < units.length - 1; unit += 1) value /= 1000;
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/**
 * @param {number} part
 * @param {number} whole
 * @returns {string} "52.3 %"
 */
export function percent(part, whole) {
  const share = (100 * part) / whole;
  return share > 0 && share < 0.1 ? '<0.1 %' : `${share.toFixed(1)} %`;
}

/** @param {number} value */
export function grouped(value) {
  return value.toLocaleString('en-US');
}

/**
 * What a cell of a table sorts by: its number where it begins with one.
 * @param {string} text
 * @returns {number | string}
 */
export function sortKey(text) {
  const plain = text.replaceAll(',', '').replace('−', '-');
  const number = Number.parseFloat(plain.replace('<', ''));
  return Number.isNaN(number) || !/^[<+-]?[\d.]/.test(plain) ? text.toLowerCase() : number;
}
