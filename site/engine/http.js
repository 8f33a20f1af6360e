/** One HTTP request at a time: what the answer's status and type mean, as errors of ours. */

import {
  AbortedError, AccessDeniedError, ConnectionStalledError, EngineError, FileMissingError, FileTruncatedError,
  NetworkFailedError, NotAnArtifactError, OfflineError, ServerFailedError,
} from './errors.js';

export const STALL_MS = 30_000;
/** The files are there, or may be, and not for everybody: also a proxy may ask who one is. */
const DENIED = [401, 403, 407];

/** A server was silent for too long. */
export class Silence extends Error {}

/** @param {unknown} cause @param {string} url @param {AbortSignal} signal @returns {Error} */
export function networkFault(cause, url, signal) {
  if (signal.aborted) return new AbortedError('The download was aborted', { url });
  const words = cause instanceof Error ? cause.message : String(cause);
  const Fault = navigator.onLine === false ? OfflineError : cause instanceof Silence ? ConnectionStalledError : NetworkFailedError;
  return new Fault(`Fetching ${url} failed: ${words}`, { url });
}

/** @param {Response} response @param {string} url */
function checkStatus(response, url) {
  const { status } = response;
  const fields = { url, status, retryAfter: Number(response.headers.get('retry-after')) || null };
  if (DENIED.includes(status)) throw new AccessDeniedError(`${url} answered ${status}`, fields);
  if (status === 404 || status === 410) throw new FileMissingError(`${url} answered ${status}`, fields);
  if (status === 416) throw new FileTruncatedError(`${url} is shorter than the manifest says`, fields);
  if (!response.ok) throw new ServerFailedError(`${url} answered ${status}`, fields);
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
  const timer = setTimeout(() => stall.abort(new Silence(`no answer for ${stallMs / 1000} s`)), stallMs);
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
