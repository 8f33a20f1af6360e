/** Reads a request in OpenAI's shape. What the engine cannot hold to is refused by its name; nothing is passed over. */

import { BadArgumentError } from '../errors.js';

/** @typedef {import('../chat.js').Message} Message */
/** @typedef {import('../model.js').CallOptions} CallOptions */
/** @typedef {{ type: 'function', function: { name: string, description?: string, parameters?: object } }} Tool */
/** @typedef {string | { type: 'text', text: string }[]} Content */
/**
 * @typedef {object} ChatMessage
 * @property {string} role
 * @property {Content | null} [content]
 * @property {{ id: string, type: 'function', function: { name: string, arguments: string } }[] | null} [tool_calls]
 * @property {string} [tool_call_id]
 * @property {string} [name]
 */
/**
 * @typedef {object} ChatRequest null is as good as absent
 * @property {ChatMessage[]} messages
 * @property {string | null} [model] the loaded one's name, if anything
 * @property {boolean | null} [stream]
 * @property {{ include_usage?: boolean | null } | null} [stream_options]
 * @property {number | null} [temperature]
 * @property {number | null} [top_p]
 * @property {number | null} [top_k]
 * @property {number | null} [max_tokens]
 * @property {number | null} [max_completion_tokens]
 * @property {string | string[] | null} [stop]
 * @property {number | null} [seed]
 * @property {boolean | null} [logprobs]
 * @property {number | null} [top_logprobs]
 * @property {import('../model.js').AskedConstraint} [response_format]
 * @property {Tool[] | null} [tools]
 * @property {'auto' | 'none' | null} [tool_choice]
 * @property {1 | null} [n]
 * @property {AbortSignal | null} [signal]
 */
/**
 * @typedef {object} Request
 * @property {Message[]} messages
 * @property {CallOptions} options for `generate`
 * @property {string[]} tools names of those that may be called
 * @property {boolean} stream
 * @property {boolean} includeUsage
 */

const KNOWN = [
  'messages', 'model', 'stream', 'stream_options', 'temperature', 'top_p', 'top_k', 'max_tokens', 'max_completion_tokens',
  'stop', 'seed', 'logprobs', 'top_logprobs', 'response_format', 'tools', 'tool_choice', 'signal', 'n',
];
const MESSAGE_FIELDS = ['role', 'content', 'name', 'tool_calls', 'tool_call_id'];
const MOST_LIKELIEST = 20;

/** @param {boolean} good @param {string} what */
function expect(good, what) {
  if (!good) throw new BadArgumentError(what);
}

/** @param {unknown} value @param {string} what @returns {Record<string, any>} without what is undefined or null */
function record(value, what) {
  expect(typeof value === 'object' && value !== null && !Array.isArray(value), `${what} is not an object`);
  return Object.fromEntries(Object.entries(Object(value)).filter(([, field]) => field !== undefined && field !== null));
}

/** @param {Record<string, any>} fields @param {string[]} known @param {string} what */
function expectKnown(fields, known, what) {
  const strange = Object.keys(fields).filter((name) => !known.includes(name));
  expect(strange.length === 0, `${what} has ${strange.map((name) => `"${name}"`).join(', ')}, which is not supported`);
}

/** @param {unknown} value @param {string} name @param {boolean} usual @returns {boolean} */
function readFlag(value, name, usual = false) {
  expect(value === undefined || typeof value === 'boolean', `${name} is neither true nor false`);
  return value === undefined ? usual : value === true;
}

/** @param {unknown} content @param {string} place @returns {string} texts of its parts, one after the other */
function readContent(content, place) {
  if (typeof content === 'string') return content;
  const parts = Array.isArray(content) ? content : [];
  const good = parts.length > 0 && parts.every((part) => part?.type === 'text' && typeof part.text === 'string');
  expect(good, `${place}.content is neither a string nor a list of texts`);
  return parts.map(({ text }) => text).join('');
}

/** @param {any} call @param {string} place @returns {object} as chat templates want it: with arguments that are no text */
function readCall(call, place) {
  const { name, arguments: given } = Object(call?.function);
  expect(call?.type === 'function' && typeof name === 'string', `${place} is not { id, type: 'function', function }`);
  try {
    return { id: call.id, type: 'function', function: { name, arguments: JSON.parse(given) } };
  } catch {
    throw new BadArgumentError(`${place}.function.arguments is not JSON`);
  }
}

/** @param {unknown} value @param {number} i @returns {Message} */
function readMessage(value, i) {
  const place = `messages[${i}]`;
  const { role, content, tool_calls: calls, ...rest } = record(value, place);
  expectKnown(rest, MESSAGE_FIELDS, place);
  expect(typeof role === 'string', `${place}.role is not a string`);
  expect(calls === undefined || Array.isArray(calls), `${place}.tool_calls is not a list`);
  const text = content === undefined && calls ? '' : readContent(content, place);
  const read = calls?.map((/** @type {unknown} */ call, /** @type {number} */ k) => readCall(call, `${place}.tool_calls[${k}]`));
  return { role: role === 'developer' ? 'system' : role, content: text, ...rest, ...(read && { tool_calls: read }) };
}

/** @param {Record<string, any>} fields @returns {Tool[]} none where none may be called */
function readTools({ tools = [], tool_choice: choice }) {
  expect(Array.isArray(tools), 'tools is not a list');
  const good = tools.every((/** @type {any} */ tool) => tool?.type === 'function' && typeof tool.function?.name === 'string');
  expect(good, "tools holds something that is not { type: 'function', function: { name, ... } }");
  expect(choice === undefined || tools.length > 0, 'tool_choice is given without tools');
  const words = JSON.stringify(choice);
  expect([undefined, 'auto', 'none'].includes(choice), `tool_choice is ${words}, which is not supported: only "auto" and "none" are`);
  return choice === 'none' ? [] : tools;
}

/** @param {Record<string, any>} fields @returns {number | undefined} how many of the likeliest tokens to tell */
function readLogprobs({ logprobs, top_logprobs: count }) {
  const wanted = readFlag(logprobs, 'logprobs');
  expect(count === undefined || wanted, 'top_logprobs is given without logprobs');
  const good = count === undefined || (Number.isInteger(count) && count >= 0 && count <= MOST_LIKELIEST);
  expect(good, `top_logprobs is not a whole number of 0 to ${MOST_LIKELIEST}`);
  return wanted ? count ?? 0 : undefined;
}

/** @param {Record<string, any>} fields @returns {number | undefined} */
function readMaxTokens({ max_tokens: old, max_completion_tokens: most }) {
  expect(old === undefined || most === undefined || old === most, 'max_tokens and max_completion_tokens differ');
  const value = most ?? old;
  expect(value === undefined || (Number.isInteger(value) && value > 0), 'max_tokens is not a whole number of 1 or more');
  return value;
}

/** @param {Record<string, any>} fields @returns {boolean} */
function readIncludeUsage({ stream, stream_options: given }) {
  if (given === undefined) return false;
  expect(stream === true, 'stream_options is given without stream');
  const options = record(given, 'stream_options');
  expectKnown(options, ['include_usage'], 'stream_options');
  return readFlag(options.include_usage, 'stream_options.include_usage');
}

/** @param {any} format @returns {CallOptions['constraint']} */
function readFormat(format) {
  if (format === undefined) return undefined;
  const { json_schema: given, ...rest } = record(format, 'response_format');
  if (rest.type !== 'json_schema') return { ...rest, ...(given && { json_schema: given }) };
  const { strict, ...named } = record(given, 'response_format.json_schema');
  expectKnown(named, ['schema', 'name', 'description'], 'response_format.json_schema');
  readFlag(strict, 'response_format.json_schema.strict');
  return { type: 'json_schema', json_schema: { schema: named.schema } };
}

/**
 * @param {unknown} given
 * @param {string} name of the model
 * @returns {Request}
 * @throws {BadArgumentError}
 */
export function readRequest(given, name) {
  const fields = record(given, 'The request');
  expectKnown(fields, KNOWN, 'The request');
  expect(fields.model === undefined || fields.model === name, `model is "${fields.model}", and the loaded one is ${name}`);
  expect(fields.n === undefined || fields.n === 1, 'n is not 1, which is not supported');
  expect(Array.isArray(fields.messages), 'messages is not a list');
  const tools = readTools(fields);
  const constraint = readFormat(fields.response_format);
  expect(tools.length === 0 || !constraint || constraint.type === 'text', 'response_format is given beside tools, which is not supported');
  const { temperature, top_p: topP, top_k: topK, stop, seed, signal } = fields;
  const sampling = { temperature, topP, topK, stop, seed, signal, maxTokens: readMaxTokens(fields) };
  return {
    messages: fields.messages.map(readMessage),
    options: { ...sampling, constraint, logprobs: readLogprobs(fields), tools: tools.length > 0 ? tools : undefined },
    tools: tools.map((tool) => tool.function.name),
    stream: readFlag(fields.stream, 'stream'),
    includeUsage: readIncludeUsage(fields),
  };
}
