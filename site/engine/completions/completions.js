/** Chat completions in OpenAI's shape, over `generate`. The whole answer is the chunks put together, so both are the same. */

import { readRequest } from './request.js';
import { CallReader } from './tool_calls.js';

/** @typedef {import('../generation/text_stream.js').Piece} Piece */
/** @typedef {import('../generation/text_stream.js').Likely} Likely */
/** @typedef {import('../generation/generate.js').GenerationStats} GenerationStats */
/** @typedef {'stop' | 'length' | 'tool_calls'} FinishReason */
/** @typedef {{ id: string, type: 'function', function: { name: string, arguments: string } }} ToolCall */
/** @typedef {{ token: string, logprob: number, bytes: number[] | null }} TokenLogprob */
/** @typedef {{ content: (TokenLogprob & { top_logprobs: TokenLogprob[] })[], refusal: null }} Logprobs */
/** @typedef {{ role?: 'assistant', content?: string, tool_calls?: (ToolCall & { index: number })[] }} Delta */
/**
 * @typedef {object} Usage
 * @property {number} prompt_tokens
 * @property {number} completion_tokens
 * @property {number} total_tokens
 * @property {{ cached_tokens: number }} prompt_tokens_details of the prompt, which were not read again
 */
/**
 * @typedef {object} ChatCompletionChunk
 * @property {string} id
 * @property {'chat.completion.chunk'} object
 * @property {number} created
 * @property {string} model
 * @property {{ index: 0, delta: Delta, logprobs: Logprobs | null, finish_reason: FinishReason | null }[]} choices
 * @property {Usage | null} [usage]
 */
/**
 * @typedef {object} ChatCompletion
 * @property {string} id
 * @property {'chat.completion'} object
 * @property {number} created
 * @property {string} model
 * @property {{ index: 0, message: { role: 'assistant', content: string | null, tool_calls?: ToolCall[] },
 *   logprobs: Logprobs | null, finish_reason: FinishReason }[]} choices
 * @property {Usage} usage
 */
/** @typedef {AsyncGenerator<ChatCompletionChunk, void>} ChunkStream */
/**
 * @typedef {{
 *   (request: import('./request.js').ChatRequest & { stream: true }): Promise<ChunkStream>,
 *   (request: import('./request.js').ChatRequest & { stream?: false | null }): Promise<ChatCompletion>,
 *   (request: import('./request.js').ChatRequest): Promise<ChatCompletion | ChunkStream>,
 * }} Create
 */
/** @typedef {{ delta: Delta, logprobs?: Logprobs | null, finish?: FinishReason }} Part of a chunk */

/** @param {Likely} likely @returns {TokenLogprob} */
function tokenLogprob({ text: token, logprob, bytes }) {
  return { token, logprob, bytes };
}

/** @param {Piece} piece @returns {Logprobs | null} */
function logprobsOf({ logprobs }) {
  if (!logprobs) return null;
  const top = logprobs.top.map(tokenLogprob);
  return { content: [{ ...tokenLogprob(logprobs.taken), top_logprobs: top }], refusal: null };
}

/** @param {number} index @param {{ name: string, arguments: string }} call @returns {ToolCall & { index: number }} */
function toolCall(index, call) {
  return { index, id: `call_${crypto.randomUUID().replaceAll('-', '')}`, type: 'function', function: call };
}

/** @param {GenerationStats} stats @returns {Usage} */
function usageOf({ promptTokens, reusedTokens, tokens }) {
  return {
    prompt_tokens: promptTokens, completion_tokens: tokens, total_tokens: promptTokens + tokens,
    prompt_tokens_details: { cached_tokens: reusedTokens },
  };
}

/**
 * @param {AsyncGenerator<Piece, GenerationStats>} pieces
 * @param {string[]} tools names of those that may be called
 * @returns {AsyncGenerator<Part, Usage>}
 */
async function* parts(pieces, tools) {
  const reader = new CallReader(tools);
  try {
    yield { delta: { role: 'assistant', content: '' } };
    let next = await pieces.next();
    for (; !next.done; next = await pieces.next()) {
      const content = reader.push(next.value.text);
      const logprobs = logprobsOf(next.value);
      if (content !== '' || logprobs) yield { delta: content === '' ? {} : { content }, logprobs };
    }
    yield* lastParts(reader, next.value.finish);
    return usageOf(next.value);
  } finally {
    await pieces.return(/** @type {any} */ (undefined));
  }
}

/** @param {CallReader} reader @param {GenerationStats['finish']} finish @returns {Generator<Part>} */
function* lastParts(reader, finish) {
  const { content, calls } = reader.finish();
  if (content !== '') yield { delta: { content } };
  if (calls.length > 0) yield { delta: { tool_calls: calls.map((call, i) => toolCall(i, call)) } };
  const ended = finish === 'length' ? 'length' : 'stop';
  yield { delta: {}, finish: calls.length > 0 ? 'tool_calls' : ended };
}

/** @param {string} model @returns what all chunks of an answer share */
function headOf(model) {
  return { id: `chatcmpl-${crypto.randomUUID().replaceAll('-', '')}`, created: Math.floor(Date.now() / 1000), model };
}

/**
 * @param {ReturnType<typeof headOf>} head
 * @param {AsyncGenerator<Part, Usage>} answer
 * @param {boolean} includeUsage
 * @returns {AsyncGenerator<ChatCompletionChunk, void>}
 */
async function* chunks(head, answer, includeUsage) {
  const shared = { ...head, object: /** @type {const} */ ('chat.completion.chunk') };
  try {
    let next = await answer.next();
    for (; !next.done; next = await answer.next()) {
      const { delta, logprobs = null, finish = null } = next.value;
      const choices = [{ index: /** @type {const} */ (0), delta, logprobs, finish_reason: finish }];
      yield { ...shared, choices, ...(includeUsage && { usage: null }) };
    }
    if (includeUsage) yield { ...shared, choices: [], usage: next.value };
  } finally {
    await answer.return(/** @type {any} */ (undefined));
  }
}

/**
 * @param {ReturnType<typeof headOf>} head
 * @param {AsyncGenerator<Part, Usage>} answer
 * @returns {Promise<ChatCompletion>}
 */
async function whole(head, answer) {
  let content = '';
  /** @type {ToolCall[]} */
  const calls = [];
  /** @type {Logprobs['content']} */
  const told = [];
  /** @type {FinishReason} */
  let reason = 'stop';
  let next = await answer.next();
  for (; !next.done; next = await answer.next()) {
    const { delta, logprobs, finish } = next.value;
    content += delta.content ?? '';
    calls.push(...(delta.tool_calls ?? []).map(({ id, type, function: called }) => ({ id, type, function: called })));
    told.push(...(logprobs?.content ?? []));
    reason = finish ?? reason;
  }
  const message = calls.length > 0 ? { content: content === '' ? null : content, tool_calls: calls } : { content };
  const logprobs = told.length > 0 ? { content: told, refusal: null } : null;
  const choice = { message: { role: /** @type {const} */ ('assistant'), ...message }, logprobs, finish_reason: reason };
  return { ...head, object: 'chat.completion', choices: [{ index: 0, ...choice }], usage: next.value };
}

/**
 * @param {string} name of the model
 * @param {(messages: import('../chat.js').Message[], options: import('../model.js').CallOptions) =>
 *   AsyncGenerator<Piece, GenerationStats>} generate
 * @param {unknown} given the request
 * @returns {Promise<ChatCompletion | ChunkStream>}
 */
export async function complete(name, generate, given) {
  const { messages, options, tools, stream, includeUsage } = readRequest(given, name);
  const answer = parts(generate(messages, options), tools);
  const head = headOf(name);
  return stream ? chunks(head, answer, includeUsage) : whole(head, answer);
}
