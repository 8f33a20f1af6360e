/**
 * Every way the engine can fail: one class and one stable code each. The message names the thing and the place, and
 * ends with the remedy. `fields` are plain data, so that an error crosses the worker boundary whole.
 */

/** @typedef {Record<string, string | number | boolean | null>} Fields */
/** @typedef {{ code: string, message: string, fields: Fields }} ErrorData */

export class EngineError extends Error {
  static code = 'INTERNAL';
  static remedy = 'This is a fault of the engine: please report it with the steps that led here.';

  /**
   * @param {string} what the thing and the place, without a full stop
   * @param {Fields} [fields]
   */
  constructor(what, fields = {}) {
    super();
    const { code, remedy } = /** @type {typeof EngineError} */ (new.target);
    this.message = `${what}. ${remedy}`;
    this.code = code;
    this.fields = fields;
    this.name = new.target.name;
  }
}

export class NoWebGpuError extends EngineError {
  static code = 'NO_WEBGPU';
  static remedy = 'Use a browser with WebGPU, over https or on localhost.';
}

export class NoAdapterError extends EngineError {
  static code = 'NO_ADAPTER';
  static remedy = 'Turn on hardware acceleration, update the graphics driver, or reload the page after a GPU crash.';
}

export class NoWasmError extends EngineError {
  static code = 'NO_WASM';
  static remedy = 'Serve the runtime beside the engine, as docs/engine.md says, or use a browser with WebGPU.';
}

export class NeedsWebGpuError extends EngineError {
  static code = 'NEEDS_WEBGPU';
  static remedy = 'Load the model with the backend webgpu, where there is a graphics processor.';
}

export class GpuBlockedError extends EngineError {
  static code = 'GPU_BLOCKED';
  static remedy = 'Reload the page: until then the browser keeps the GPU, which crashed more than once, from it.';
}

export class MissingFeatureError extends EngineError {
  static code = 'MISSING_FEATURE';
  static remedy = 'Choose another tier, or export the model with the base tier.';
}

export class NotEnoughMemoryError extends EngineError {
  static code = 'NOT_ENOUGH_MEMORY';
  static remedy = 'Choose a smaller model, a stronger quantization or a shorter context.';
}

export class LimitExceededError extends EngineError {
  static code = 'LIMIT_EXCEEDED';
  static remedy = 'Choose a smaller model, or export it with a smaller shard size.';
}

export class ManifestInvalidError extends EngineError {
  static code = 'MANIFEST_INVALID';
  static remedy = 'Export the model again with this version of Thistledown.';
}

export class ManifestChangedError extends EngineError {
  static code = 'MANIFEST_CHANGED';
  static remedy = 'Ask again for the hash: the model was exported anew, or somebody in between changed it.';
}

export class PlanInvalidError extends EngineError {
  static code = 'PLAN_INVALID';
  static remedy = 'Export the model again with this version of Thistledown.';
}

export class OtherBaseError extends EngineError {
  static code = 'OTHER_BASE';
  static remedy = 'Load the model that the adapter was made for.';
}

export class TokenizerInvalidError extends EngineError {
  static code = 'TOKENIZER_INVALID';
  static remedy = 'Export the model again from a checkpoint whose tokenizer fits it and is supported.';
}

export class NotAnArtifactError extends EngineError {
  static code = 'NOT_AN_ARTIFACT';
  static remedy = 'Check the address: it must be the folder that holds manifest.json.';
}

export class FileMissingError extends EngineError {
  static code = 'FILE_MISSING';
  static remedy = 'Check the address; where it is right, upload the whole artifact folder again.';
}

export class FileTruncatedError extends EngineError {
  static code = 'FILE_TRUNCATED';
  static remedy = 'Try again; if it stays, upload the file again.';
}

export class FileTooLongError extends EngineError {
  static code = 'FILE_TOO_LONG';
  static remedy = 'Upload the file again, and let nothing in between change it.';
}

export class FileCorruptedError extends EngineError {
  static code = 'FILE_CORRUPTED';
  static remedy = 'Try again; if it stays, upload the file again.';
}

export class NetworkFailedError extends EngineError {
  static code = 'NETWORK_FAILED';
  static remedy = 'Check the connection and try again: what has arrived is kept.';
}

/** These three are failures of the network of which more is known, and which a visitor answers otherwise. */
export class OfflineError extends NetworkFailedError {
  static code = 'OFFLINE';
  static remedy = 'Connect to a network and try again: what has arrived is kept.';
}

export class ConnectionStalledError extends NetworkFailedError {
  static code = 'CONNECTION_STALLED';
  static remedy = 'Try again over a steadier connection, or without a proxy or a VPN: what has arrived is kept.';
}

export class ServerFailedError extends NetworkFailedError {
  static code = 'SERVER_FAILED';
  static remedy = 'Wait and try again: the fault is the server\'s, and what has arrived is kept.';
}

export class AccessDeniedError extends EngineError {
  static code = 'ACCESS_DENIED';
  static remedy = 'Sign in where the files are, or let their server give them to everybody.';
}

export class WorkerFailedError extends EngineError {
  static code = 'WORKER_FAILED';
  static remedy = 'Reload the page; if that does not help, upload the engine\'s folder whole and allow workers from it.';
}

export class AbortedError extends EngineError {
  static code = 'ABORTED';
  static remedy = 'Call again to start anew.';
}

export class DeviceLostError extends EngineError {
  static code = 'DEVICE_LOST';
  static remedy = 'Load the model again: nothing is downloaded twice. If that fails, reload the page.';
}

export class OutOfMemoryError extends EngineError {
  static code = 'OUT_OF_MEMORY';
  static remedy = 'Close other tabs and programs that use the GPU, or choose a smaller model.';
}

export class WrongResultsError extends EngineError {
  static code = 'WRONG_RESULTS';
  static remedy = 'Update the graphics driver, or use another browser.';
}

export class InputTooLongError extends EngineError {
  static code = 'INPUT_TOO_LONG';
  static remedy = 'Shorten the input.';
}

export class StateInvalidError extends EngineError {
  static code = 'STATE_INVALID';
  static remedy = 'Go on without it: the model reads the conversation again.';
}

export class NoChatTemplateError extends EngineError {
  static code = 'NO_CHAT_TEMPLATE';
  static remedy = 'Pass the prompt as a string.';
}

export class TemplateFailedError extends EngineError {
  static code = 'TEMPLATE_FAILED';
  static remedy = 'Give messages in another order or begin a new conversation, or pass the prompt as a string.';
}

export class BadArgumentError extends EngineError {
  static code = 'BAD_ARGUMENT';
  static remedy = 'Correct the call.';
}

export class SchemaUnsupportedError extends BadArgumentError {
  static code = 'SCHEMA_UNSUPPORTED';
  static remedy = 'Write the schema with the keywords that the engine\'s README lists, or a smaller one.';
}

export class UnloadedError extends EngineError {
  static code = 'UNLOADED';
  static remedy = 'Load it again.';
}

const CLASSES = [
  EngineError, NoWebGpuError, NoAdapterError, MissingFeatureError, NotEnoughMemoryError, LimitExceededError,
  ManifestInvalidError, PlanInvalidError, TokenizerInvalidError, NotAnArtifactError, FileMissingError,
  FileTruncatedError, FileTooLongError, FileCorruptedError, NetworkFailedError, AbortedError, DeviceLostError,
  OutOfMemoryError, InputTooLongError, NoChatTemplateError, BadArgumentError, UnloadedError,
  OtherBaseError, ManifestChangedError, GpuBlockedError, WrongResultsError, NoWasmError, NeedsWebGpuError,
  StateInvalidError, OfflineError, ConnectionStalledError, ServerFailedError, AccessDeniedError, WorkerFailedError,
  TemplateFailedError, SchemaUnsupportedError,
];

/** code -> class, for callers that want to list or compare them. */
export const byCode = Object.freeze(Object.fromEntries(CLASSES.map((type) => [type.code, type])));

/**
 * @param {unknown} cause anything that was thrown
 * @returns {EngineError} itself, or an INTERNAL error that carries its words
 */
export function typed(cause) {
  if (cause instanceof EngineError) return cause;
  const words = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  return new EngineError(`Unexpected ${words}`);
}

/**
 * @param {unknown} cause
 * @returns {ErrorData}
 */
export function serialize(cause) {
  const { code, message, fields } = typed(cause);
  return { code, message, fields };
}

/**
 * @param {ErrorData} data what `serialize` made, on the other side of the boundary
 * @returns {EngineError}
 */
export function revive({ code, message, fields }) {
  const error = new (byCode[code] ?? EngineError)('', fields);
  error.message = message;
  return error;
}

/**
 * @param {AbortSignal | undefined} signal
 * @throws {AbortedError} when the signal has fired
 */
export function throwIfAborted(signal) {
  if (signal?.aborted) throw new AbortedError('The call was aborted');
}
