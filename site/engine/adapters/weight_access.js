/**
 * An adapter's kernels read the base's weights and tables, which outlive it: none may write them. WebGPU does not say how a
 * shader uses a binding, so its text must, in the one form that the exporter writes.
 */

import { PlanInvalidError } from '../errors.js';

/** @typedef {import('../plan.js').Plan} Plan */

/** How a binding is declared: two attributes, and nothing else has others than a shader's own three. */
const DECLARED = /@group\(0\) @binding\((\d+)\) var<(?:uniform|storage, read(_write)?)>/g;

/**
 * @param {string} code
 * @returns {Set<number> | null} the numbers with which a variable is written: others may have the same, where no entry point
 *   uses both; null where that cannot be told
 */
function writtenBindings(code) {
  if (/\/\/|\/\*/.test(code)) return null;
  const bindings = [...code.matchAll(DECLARED)];
  const attributes = code.match(/@(?!(?:compute|workgroup_size|builtin)\b)/g) ?? [];
  if (attributes.length !== bindings.length * 2) return null;
  return new Set(bindings.filter(([, , writes]) => writes).map(([, binding]) => Number(binding)));
}

/**
 * @param {Plan} plan of an adapter
 * @param {number} shards of the base
 * @param {string} url for the message
 * @throws {PlanInvalidError} where a kernel may write a weight or a table
 */
export function expectReadOnly({ buffers, kernels, shaders, phases }, shards, url) {
  const written = new Map(Object.entries(shaders).map(([name, code]) => [name, writtenBindings(code)]));
  for (const dispatch of Object.values(phases).flat()) {
    const ways = [...dispatch.ways, ...(dispatch.few?.ways ?? [])];
    for (const { binding, buffer } of dispatch.bind) {
      const { kind, weight } = buffers[buffer];
      if (kind !== 'table' && (!weight || weight.shard >= shards)) continue;
      const writing = ways.find(({ kernel }) => written.get(kernels[kernel].shader)?.has(binding) !== false);
      if (!writing) continue;
      const { shader } = kernels[writing.kernel];
      throw new PlanInvalidError(`The shader ${shader} of ${url} may write what is the model's`, { url, shader });
    }
  }
}
