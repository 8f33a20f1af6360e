/** How fast this connection is, from what it has carried already: nothing is downloaded to find out. */

const NAME = 'thistledown-speed';
/** A speed of longer ago was perhaps another network's. */
const STALE_MS = 14 * 24 * 3600 * 1000;
/** What arrives faster came in one burst, which says nothing about the pace. */
const BURST_MS = 100;
const TELLING_BYTES = 16_384;
/** A usual line, for an idea of the time where nothing tells this one's speed: 50 Mbit/s. */
const EXAMPLE = 6.25e6;

/** @param {number | null} bytesPerSecond of a download of this site; null changes nothing */
export function rememberSpeed(bytesPerSecond) {
  if (bytesPerSecond === null) return;
  try {
    localStorage.setItem(NAME, JSON.stringify({ bytesPerSecond: Math.round(bytesPerSecond), at: Date.now() }));
  } catch {
    // A browser that keeps nothing foretells no times.
  }
}

/** @returns {number | null} bytes a second: of the last download, else of this page's own slow files; null where nothing tells */
export function knownSpeed() {
  return remembered() ?? ofThisPage();
}

/**
 * A speed to foretell times with, and who says it: what was carried here, else the browser, else nobody.
 * @returns {{ bytesPerSecond: number, source: 'carried' | 'browser' | 'example' }}
 */
export function likelySpeed() {
  const carried = knownSpeed();
  if (carried !== null) return { bytesPerSecond: carried, source: 'carried' };
  const megabits = Number(/** @type {any} */ (navigator).connection?.downlink);
  if (megabits > 0) return { bytesPerSecond: (1e6 * megabits) / 8, source: 'browser' };
  return { bytesPerSecond: EXAMPLE, source: 'example' };
}

function remembered() {
  try {
    const { bytesPerSecond, at } = JSON.parse(localStorage.getItem(NAME) ?? '{}');
    return bytesPerSecond > 0 && Date.now() - at < STALE_MS ? Number(bytesPerSecond) : null;
  } catch {
    return null;
  }
}

/** Files whose body took a while: on a fast connection there are none. */
function ofThisPage() {
  const entries = /** @type {PerformanceResourceTiming[]} */ (performance.getEntriesByType('resource'));
  const slow = entries.filter((entry) => entry.transferSize > 0 && bodyMs(entry) >= BURST_MS);
  const bytes = slow.reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0);
  return bytes < TELLING_BYTES ? null : (1000 * bytes) / busyMs(slow);
}

/** @param {PerformanceResourceTiming} entry */
function bodyMs({ responseStart, responseEnd }) {
  return responseEnd - responseStart;
}

/** Time in which at least one of them was on its way. @param {PerformanceResourceTiming[]} entries */
function busyMs(entries) {
  let until = 0;
  return entries
    .sort((one, other) => one.responseStart - other.responseStart)
    .reduce((sum, { responseStart, responseEnd }) => {
      const from = Math.max(until, responseStart);
      until = Math.max(until, responseEnd);
      return sum + until - from;
    }, 0);
}
