/** The tree of bytes that the treemap shows: what each node is called, is for, and costs. */

/** @typedef {[name: string, role: string, bytes: number, travels: number]} Leaf */
/** @typedef {[name: string, role: string, children: (Leaf | Branch)[]]} Branch */
/** @typedef {{ name: string, role: string, size: number, children: Tile[] }} Tile the largest child first */

/** A tile with a smaller area, in square CSS pixels, could be neither read nor hit. */
const SMALLEST = 1600;
/** So many are shown in any case. */
const ALWAYS = 12;

/**
 * @param {Leaf | Branch} data
 * @param {boolean} visit whether bytes of a first visit count, else those of all files
 * @returns {Tile}
 */
export function tileOf(data, visit) {
  const [name, role, third] = data;
  if (!Array.isArray(third)) return { name, role, size: visit ? data[3] ?? 0 : third, children: [] };
  const children = third.map((child) => tileOf(child, visit)).filter(({ size }) => size > 0);
  children.sort((one, two) => two.size - one.size);
  return { name, role, size: children.reduce((sum, { size }) => sum + size, 0), children };
}

/**
 * The children of `tile` in an area; those that would be too small are one tile together.
 * @param {Tile} tile
 * @param {number} area in square CSS pixels
 * @returns {Tile[]} the largest first
 */
export function shownTiles(tile, area) {
  const large = tile.children.filter(
    ({ size }, index) => index < ALWAYS || (size / tile.size) * area >= SMALLEST,
  );
  const small = tile.children.slice(large.length);
  if (small.length < 2) return tile.children;
  const size = small.reduce((sum, { size: each }) => sum + each, 0);
  const together = { name: `${small.length} smaller`, role: 'several', size, children: small };
  return [...large, together].sort((one, two) => two.size - one.size);
}
