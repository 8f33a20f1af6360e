/** Squarified treemap: rectangles with given areas that fill a box and are as square as they can be. */

/** @typedef {{ x: number, y: number, width: number, height: number }} Box in CSS pixels */

/**
 * @param {number[]} sizes above 0, the largest first
 * @param {Box} box
 * @returns {Box[]} in the order of `sizes`; areas are in proportion to them
 */
export function squarify(sizes, box) {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const areas = sizes.map((size) => (size / total) * box.width * box.height);
  /** @type {Box[]} */
  const placed = [];
  let rest = box;
  for (let start = 0; start < areas.length; ) {
    const row = rowFrom(areas, start, Math.min(rest.width, rest.height));
    rest = placeRow(row, rest, placed);
    start += row.length;
  }
  return placed;
}

/**
 * As many areas from `start` on as make the row's worst rectangle better.
 * @param {number[]} areas
 * @param {number} start
 * @param {number} side the length of the row, in CSS pixels
 */
function rowFrom(areas, start, side) {
  const row = [areas[start]];
  while (start + row.length < areas.length) {
    const longer = [...row, areas[start + row.length]];
    if (worst(longer, side) > worst(row, side)) break;
    row.push(areas[start + row.length]);
  }
  return row;
}

/**
 * The largest ratio of sides in a row.
 * @param {number[]} row
 * @param {number} side
 */
function worst(row, side) {
  const sum = row.reduce((total, area) => total + area, 0);
  return Math.max((side * side * row[0]) / (sum * sum), (sum * sum) / (side * side * row[row.length - 1]));
}

/**
 * Puts a row along the shorter side of `box`.
 * @param {number[]} row
 * @param {Box} box
 * @param {Box[]} placed takes the rectangles
 * @returns {Box} what is left of the box
 */
function placeRow(row, box, placed) {
  const sum = row.reduce((total, area) => total + area, 0);
  const upright = box.width >= box.height;
  const thickness = sum / (upright ? box.height : box.width);
  let along = 0;
  for (const area of row) {
    const length = area / thickness;
    placed.push(
      upright
        ? { x: box.x, y: box.y + along, width: thickness, height: length }
        : { x: box.x + along, y: box.y, width: length, height: thickness },
    );
    along += length;
  }
  return upright
    ? { ...box, x: box.x + thickness, width: box.width - thickness }
    : { ...box, y: box.y + thickness, height: box.height - thickness };
}
