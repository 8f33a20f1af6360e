/** Telling errors apart by their stable code, whichever side they come from. */

/** After these the model is gone and must be loaded again. */
const FATAL = ['DEVICE_LOST', 'OUT_OF_MEMORY', 'UNLOADED', 'WORKER_FAILED', 'INTERNAL'];

/**
 * @param {unknown} error
 * @returns {string} the error's stable code; UNKNOWN for an error without one
 */
export function codeOf(error) {
  const code = /** @type {{ code?: unknown } | null | undefined} */ (error)?.code;
  return typeof code === 'string' ? code : 'UNKNOWN';
}

/** @param {unknown} error */
export function isAbort(error) {
  return codeOf(error) === 'ABORTED' || (error instanceof DOMException && error.name === 'AbortError');
}

/** @param {unknown} error */
export function takesModelDown(error) {
  return FATAL.includes(codeOf(error));
}
