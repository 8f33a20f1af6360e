/** Reads texts with model.onnx, one at a time: together they would be padded, and no text is faster for it on a CPU. */

/** @param {Float32Array} values @param {number} width @param {number[]} rows @returns {Float32Array[]} */
function chosen(values, width, rows) {
  return rows.map((row) => values.subarray(row * width, (row + 1) * width));
}

/** @type {import('../encode.js').Play} */
export async function play(session, pack, _output, words) {
  const { graph } = /** @type {import('./session.js').Session} */ (session);
  const all = new Float32Array(words);
  let filled = 0;
  for (const { ids, rows } of pack) {
    const { [graph.output]: { data, dims } } = await graph.run(ids, {}, 0, [graph.output]);
    for (const part of rows ? chosen(data, dims[dims.length - 1], rows) : [data]) {
      all.set(part, filled);
      filled += part.length;
    }
  }
  return all;
}
