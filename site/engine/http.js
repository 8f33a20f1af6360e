/** One HTTP request at a time: what the answer's status and type mean, as errors of ours. */

import {
  AbortedError, EngineError, FileMissingError, FileTruncatedError, NetworkFailedError, NotAnArtifactError,
} from './errors.js';

export const STALL_MS = 30_000;

/** @param {unknown} cause @param {string} url @param {AbortSignal} signal @returns {Error} */
export function networkFault(cause, url, signal) {
  if (signal.aborted) return new AbortedError('The download was aborted', { url });
  const words = cause instanceof Error ? cause.message : String(cause);
  return new NetworkFailedError(`Fetching ${url} failed: ${words}`, { url });
}

/** @param {Response} response @param {string} url */
function checkStatus(response, url) {
  const { status } = response;
  const fields = { url, status, retryAfter: Number(response.headers.get('retry-after')) || null };
  if (status === 404 || status === 403 || status === 410) {
    throw new FileMissingError(`${url} answered ${status}`, fields);
  }
  if (status === 416) throw new FileTruncatedError(`${url} is shorter than the manifest says`, fields);
  if (!response.ok) throw new NetworkFailedError(`${url} answered ${status}`, fields);
}

/** @param {Response} response @param {string} url */
function checkType(response, url) {
  const type = response.headers.get('content-type') ?? '';
  if (type.startsWith('text/html')) throw new NotAnArtifactError(`${url} answered a web page`, { url });
}

/**
 * @param {string} url
 * @param {RequestInit & { signal: AbortSignal }} init
 * @param {number} [stallMs] how long the answer's head is waited for
 * @returns {Promise<Response>} a good answer that is not a web page
 */
export async function request(url, init, stallMs = STALL_MS) {
  const stall = new AbortController();
  const timer = setTimeout(() => stall.abort(new Error(`no answer for ${stallMs / 1000} s`)), stallMs);
  try {
    const response = await fetch(url, { ...init, signal: AbortSignal.any([init.signal, stall.signal]) });
    checkStatus(response, url);
    checkType(response, url);
    return response;
  } catch (cause) {
    throw cause instanceof EngineError ? cause : networkFault(cause, url, init.signal);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * @param {ArrayBuffer | Uint8Array} bytes
 * @param {string} url for the message
 * @returns {unknown}
 */
export function parseJson(bytes, url) {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new NotAnArtifactError(`${url} is not JSON`, { url });
  }
}
