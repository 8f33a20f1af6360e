/** What `index.js` exports, for TypeScript. A test holds this equal to the JSDoc types of the engine itself. */

/** Names the failure; stable across versions. */
export type ErrorCode =
  | 'INTERNAL' | 'NO_WEBGPU' | 'NO_ADAPTER' | 'GPU_BLOCKED' | 'MISSING_FEATURE' | 'NOT_ENOUGH_MEMORY' | 'LIMIT_EXCEEDED'
  | 'MANIFEST_INVALID' | 'MANIFEST_CHANGED' | 'PLAN_INVALID' | 'OTHER_BASE' | 'TOKENIZER_INVALID' | 'NOT_AN_ARTIFACT'
  | 'FILE_MISSING' | 'FILE_TRUNCATED' | 'FILE_TOO_LONG' | 'FILE_CORRUPTED' | 'NETWORK_FAILED' | 'OFFLINE'
  | 'CONNECTION_STALLED' | 'SERVER_FAILED' | 'ACCESS_DENIED' | 'WORKER_FAILED' | 'ABORTED' | 'DEVICE_LOST'
  | 'OUT_OF_MEMORY' | 'WRONG_RESULTS' | 'INPUT_TOO_LONG' | 'STATE_INVALID' | 'NO_CHAT_TEMPLATE' | 'TEMPLATE_FAILED'
  | 'BAD_ARGUMENT' | 'SCHEMA_UNSUPPORTED' | 'UNLOADED' | 'NO_WASM' | 'NEEDS_WEBGPU';
export type Fields = Record<string, string | number | boolean | null>;
export interface ErrorData { code: string; message: string; fields: Fields }

/** One class and one code for each way to fail. */
export declare namespace errors {
  class EngineError extends Error {
    static code: string;
    static remedy: string;
    constructor(what: string, fields?: Fields);
    code: string;
    fields: Fields;
  }
  class NoWebGpuError extends EngineError {}
  class NoAdapterError extends EngineError {}
  class MissingFeatureError extends EngineError {}
  class NotEnoughMemoryError extends EngineError {}
  class LimitExceededError extends EngineError {}
  class ManifestInvalidError extends EngineError {}
  class PlanInvalidError extends EngineError {}
  class OtherBaseError extends EngineError {}
  class TokenizerInvalidError extends EngineError {}
  class NotAnArtifactError extends EngineError {}
  class FileMissingError extends EngineError {}
  class FileTruncatedError extends EngineError {}
  class FileTooLongError extends EngineError {}
  class FileCorruptedError extends EngineError {}
  class NetworkFailedError extends EngineError {}
  class AbortedError extends EngineError {}
  class DeviceLostError extends EngineError {}
  class OutOfMemoryError extends EngineError {}
  class InputTooLongError extends EngineError {}
  class NoChatTemplateError extends EngineError {}
  class BadArgumentError extends EngineError {}
  class UnloadedError extends EngineError {}
  class ManifestChangedError extends EngineError {}
  class GpuBlockedError extends EngineError {}
  class WrongResultsError extends EngineError {}
  class NoWasmError extends EngineError {}
  class NeedsWebGpuError extends EngineError {}
  class StateInvalidError extends EngineError {}
  class OfflineError extends NetworkFailedError {}
  class ConnectionStalledError extends NetworkFailedError {}
  class ServerFailedError extends NetworkFailedError {}
  class AccessDeniedError extends EngineError {}
  class WorkerFailedError extends EngineError {}
  class TemplateFailedError extends EngineError {}
  class SchemaUnsupportedError extends BadArgumentError {}
  /** code -> class */
  const byCode: Readonly<Record<string, typeof EngineError>>;
  function typed(cause: unknown): EngineError;
  function serialize(cause: unknown): ErrorData;
  function revive(data: ErrorData): EngineError;
  function throwIfAborted(signal: AbortSignal | undefined): void;
}

export type Task =
  | 'sentence-embedding' | 'text-generation' | 'text-classification' | 'token-classification' | 'fill-mask';
export type Tier = 'f16' | 'subgroups' | 'base';
export type Backend = 'auto' | 'webgpu' | 'wasm';

export interface Progress {
  stage: 'manifest' | 'download' | 'compile' | 'ready';
  /** Bytes of the whole download, never backwards. */
  loaded: number;
  total: number;
}

/** A download's pause: pass it to `load`. */
export declare class DownloadControl {
  get paused(): boolean;
  pause(): void;
  resume(): void;
  /** The listener hears of every change, and at once of a pause; returns what ends that. */
  follow(listener: (paused: boolean) => void): () => void;
}

export interface LoadOptions {
  /** `auto` unless said: WebGPU where there is a graphics processor, else the CPU (`wasm`) where the site serves its runtime. */
  backend?: Backend;
  /** Of WebGPU; the best that the device has unless said. */
  tier?: Tier;
  onProgress?: (event: Progress) => void;
  signal?: AbortSignal;
  control?: DownloadControl;
  /** of manifest.json, where somebody trusted says it: another is refused */
  sha256?: string;
  /** Which of a model's kernels a device plays. */
  tune?: 'auto' | 'off' | 'again' | Record<string, string>;
}

/** What a manifest says of a model. */
export interface Facts {
  name: string;
  title: string;
  task: Task;
  architecture: string;
  source: string;
  license: string | null;
  languages: string[];
  quantization: string;
  parameters: number;
  context: number;
  dimensions: number | null;
  vocabulary: number;
  /** The model's usual sampling. */
  generation: { temperature: number; topK: number; topP: number } | null;
  /** Whether messages may be given. */
  chat: boolean;
  labels: string[] | null;
  maskToken: string | null;
}

/** Whether this device can run a model, known before any weight is fetched. */
export interface Verdict {
  ok: boolean;
  /** Of the error that `load` would throw. */
  code: string | null;
  reason: string | null;
  needed: number | null;
  available: number | null;
  /** What `load` would take. */
  backend: 'webgpu' | 'wasm';
  /** Null without WebGPU. */
  tier: Tier | null;
  downloadBytes: number;
  /** Without WebGPU an estimate of the most that loading takes. */
  memoryBytes: number;
}
export interface Inspection extends Facts, Verdict { cachedBytes: number }

export interface ModelInfo extends Facts {
  backend: 'webgpu' | 'wasm';
  tier: Tier | null;
  /** What computes; without WebGPU its description says so. */
  adapter: { vendor: string; architecture: string; description: string };
  memoryBytes: number;
  downloadBytes: number;
  choices: Record<string, string>;
}

export interface Embedding { data: Float32Array; tokens: number; truncated: boolean }
export interface TextClass { label: string; score: number }
export interface WordClass { text: string; start: number; end: number; label: string; score: number }
export interface Filling { token: string; id: number; score: number }

/** A token and its likelihood under the model itself: before temperature, top-k, top-p and any constraint. */
export interface Likely { id: number; text: string; bytes: number[] | null; logprob: number }
export interface Piece { id: number; text: string; logprobs?: { taken: Likely; top: Likely[] } }

/** A JSON Schema; which keywords are supported stands in README.md, and any other is refused by its name. */
export type JsonSchema = boolean | { readonly [keyword: string]: unknown };
export type ResponseFormat =
  | { type: 'text' }
  | { type: 'json_object' }
  | { type: 'json_schema'; json_schema: { schema: JsonSchema; strict?: boolean | null; name?: string; description?: string } };

export interface Message { role: string; content: string; [more: string]: unknown }

export interface GenerateOptions {
  /** What the context leaves unless said. */
  maxTokens?: number;
  /** 0 is greedy; this and the next two are the model's own unless said. */
  temperature?: number;
  /** 0 is off. */
  topK?: number;
  topP?: number;
  /** Random unless said. */
  seed?: number;
  stop?: string | string[];
  constraint?: ResponseFormat | null;
  /** How many of the likeliest tokens to tell with each piece, 0 to 20. */
  logprobs?: number;
  tools?: unknown[];
  signal?: AbortSignal;
}

export interface TextPart { type: 'text'; text: string }
export interface ToolCall { id: string; type: 'function'; function: { name: string; arguments: string } }
export type ChatMessage =
  | { role: 'system' | 'developer' | 'user'; content: string | TextPart[]; name?: string }
  | { role: 'assistant'; content?: string | TextPart[] | null; tool_calls?: ToolCall[] | null; name?: string }
  | { role: 'tool'; content: string | TextPart[]; tool_call_id?: string };
export interface Tool {
  type: 'function';
  function: { name: string; description?: string; parameters?: { readonly [keyword: string]: unknown } };
}

/** Anything else is refused with BAD_ARGUMENT, which names it. */
export interface ChatCompletionRequest {
  messages: ChatMessage[];
  /** The loaded one's name, if anything. */
  model?: string | null;
  stream?: boolean | null;
  stream_options?: { include_usage?: boolean | null } | null;
  temperature?: number | null;
  top_p?: number | null;
  top_k?: number | null;
  max_tokens?: number | null;
  max_completion_tokens?: number | null;
  stop?: string | string[] | null;
  seed?: number | null;
  logprobs?: boolean | null;
  top_logprobs?: number | null;
  response_format?: ResponseFormat | null;
  tools?: Tool[] | null;
  tool_choice?: 'auto' | 'none' | null;
  n?: 1 | null;
  signal?: AbortSignal | null;
}

export type FinishReason = 'stop' | 'length' | 'tool_calls';
export interface TokenLogprob { token: string; logprob: number; bytes: number[] | null }
export interface Logprobs { content: (TokenLogprob & { top_logprobs: TokenLogprob[] })[]; refusal: null }
export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  prompt_tokens_details: { cached_tokens: number };
}
export interface ChatCompletion {
  id: string;
  object: 'chat.completion';
  created: number;
  model: string;
  choices: {
    index: 0;
    message: { role: 'assistant'; content: string | null; tool_calls?: ToolCall[] };
    logprobs: Logprobs | null;
    finish_reason: FinishReason;
  }[];
  usage: Usage;
}
export interface ChatCompletionChunk {
  id: string;
  object: 'chat.completion.chunk';
  created: number;
  model: string;
  choices: {
    index: 0;
    delta: { role?: 'assistant'; content?: string; tool_calls?: (ToolCall & { index: number })[] };
    logprobs: Logprobs | null;
    finish_reason: FinishReason | null;
  }[];
  usage?: Usage | null;
}

export interface ChatCompletions {
  create(request: ChatCompletionRequest & { stream: true }): Promise<AsyncGenerator<ChatCompletionChunk, void>>;
  create(request: ChatCompletionRequest & { stream?: false | null }): Promise<ChatCompletion>;
  create(request: ChatCompletionRequest): Promise<ChatCompletion | AsyncGenerator<ChatCompletionChunk, void>>;
}

export interface GenerationStats {
  promptTokens: number;
  /** Of the prompt, which the model had seen in the call before. */
  reusedTokens: number;
  firstTokenMs: number;
  tokens: number;
  decodeMs: number;
  finish: 'stop' | 'stop-string' | 'length';
}
export interface Stats {
  /** ms that the known answer took after the load */
  canaryMs: number;
  /** one each time that the GPU was lost and the model brought to another device */
  recoveries: { ms: number; reason: string }[];
  networkBytes: number;
  loadMs: number;
  notKept: 'full' | 'refused' | null;
  tuneMs: number;
  embedding: { texts: number; tokens: number; ms: number } | null;
  generation: GenerationStats | null;
  adapter: { ms: number; networkBytes: number; memoryBytes: number; ready: number } | null;
}

/** A loaded model. */
export interface Model {
  readonly info: Readonly<ModelInfo>;
  /** What is put on. */
  readonly adapter: Readonly<{ name: string; url: string; rank: number; parameters: number; bytes: number }> | null;
  readonly chat: { readonly completions: ChatCompletions };
  embed(texts: string[], options?: { signal?: AbortSignal } | null): Promise<Embedding[]>;
  /** A string goes in as it is, messages through the chat template. */
  generate(prompt: string | Message[], options?: GenerateOptions | null): AsyncGenerator<Piece, void>;
  /** A list for a text, a list of such for a list. */
  classify(text: string | string[], options?: { signal?: AbortSignal } | null): Promise<TextClass[] | TextClass[][]>;
  classifyTokens(text: string | string[], options?: { signal?: AbortSignal } | null): Promise<WordClass[] | WordClass[][]>;
  /** The five best fillings; a list of such for several masks, and a list of all that for a list. */
  fillMask(
    text: string | string[], options?: { signal?: AbortSignal } | null,
  ): Promise<Filling[] | Filling[][] | (Filling[] | Filling[][])[]>;
  logits(ids: number[], options?: { split?: number[]; signal?: AbortSignal } | null): Promise<Float32Array>;
  /** What the model has seen, so that a prompt that begins with it need not be read again; waits for an answer under way. */
  saveState(options?: { signal?: AbortSignal } | null): Promise<ArrayBuffer>;
  /** Gives how many tokens it stands for. Refused with STATE_INVALID, it changes nothing. */
  restoreState(
    state: ArrayBuffer | ArrayBufferView<ArrayBuffer> | Blob, options?: { signal?: AbortSignal } | null,
  ): Promise<number>;
  /** Puts an adapter on, with WebGPU; null takes it off. */
  setAdapter(url: string | URL | null, options?: { signal?: AbortSignal } | null): Promise<void>;
  stats(): Stats;
  unload(): Promise<void>;
}

/** Looks before anything is paid for: fetches the manifest and, without a graphics processor, what describes the runtime. */
export declare function inspect(url: string | URL, options?: LoadOptions | null): Promise<Inspection>;
export declare function load(url: string | URL, options?: LoadOptions | null): Promise<Model>;
/** Drops everything that earlier loads of this artifact have kept. */
export declare function forget(url: string | URL): Promise<void>;
export interface KeptModel { url: string; title: string; usedAt: Date; bytes: number; keptBytes: number }
/** What earlier loads have kept on this device, the latest used first. */
export declare function keptModels(): Promise<KeptModel[]>;
