/** Rotary position tables, computed rather than downloaded: WGSL's own sine and cosine are too coarse. */

const BLOCK_POSITIONS = 4096;

/**
 * @param {import('./plan.js').RopeTable} table
 * @returns {Generator<{ offset: number, values: Float32Array<ArrayBuffer> }>} blocks, at byte offsets:
 *   f32 [positions][frequencies][cos, sin] of position * frequency, times scale, computed in float64
 */
export function* ropeBlocks({ invFreq, positions, scale }) {
  const width = invFreq.length * 2;
  for (let start = 0; start < positions; start += BLOCK_POSITIONS) {
    const count = Math.min(BLOCK_POSITIONS, positions - start);
    const values = new Float32Array(count * width);
    for (let i = 0; i < count; i++) fillPosition(values.subarray(i * width), start + i, { invFreq, scale });
    yield { offset: start * width * 4, values };
  }
}

/** @param {Float32Array} row @param {number} position @param {{ invFreq: number[], scale: number }} table */
function fillPosition(row, position, { invFreq, scale }) {
  for (let i = 0; i < invFreq.length; i++) {
    const angle = position * invFreq[i];
    row[2 * i] = scale * Math.cos(angle);
    row[2 * i + 1] = scale * Math.sin(angle);
  }
}
