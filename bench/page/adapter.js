/** The adapter that every engine gets. */

/** @returns {Promise<GPUAdapter>} */
export async function adapter() {
  const found = await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!found) throw new Error('the browser offers no GPU adapter');
  return found;
}

/** @param {GPUAdapter} adapter @returns {boolean} whether it computes a GPU's work on a CPU */
export function isSoftware({ info }) {
  return /swiftshader|llvmpipe|lavapipe/i.test(`${info.architecture} ${info.description}`);
}
