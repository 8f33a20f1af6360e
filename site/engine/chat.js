/**
 * Puts messages into the form a model was trained on: by data (FORMAT.md, `chat`) where the exporter could prove it
 * equal to the model's template, else by the template itself, which is a program with no reach beyond its text.
 */

import { BadArgumentError, NoChatTemplateError, TemplateFailedError } from './errors.js';

/** @typedef {{ role: string, content: string } & Record<string, unknown>} Message data knows these two fields only */
/** @typedef {import('./chat_format.js').Chat} Chat */
/** @typedef {import('./chat_format.js').Segments} Segments */

/** Python's white space: that of Unicode, and four control characters. */
const WHITE_SPACE_AROUND = /^[\p{White_Space}\x1C-\x1F]+|(?<![\p{White_Space}\x1C-\x1F])[\p{White_Space}\x1C-\x1F]+$/gu;

/** @param {string} text @returns {string} */
function trimmed(text) {
  return text.replace(WHITE_SPACE_AROUND, '');
}

/** @param {Message} message */
function checkMessage(message) {
  if (typeof message.content !== 'string') throw new BadArgumentError('A message has no content that is a string');
  const { role, content, ...rest } = message;
  const strange = Object.keys(rest).find((key) => rest[key] !== undefined && rest[key] !== null);
  if (strange) throw new BadArgumentError(`The model's chat template knows no "${strange}" in a message`);
}

/** @param {string[]} roles in their order @param {Segments} chat */
function checkOrder(roles, { roles: known, fold, order }) {
  const names = fold ? ['system', ...Object.keys(known)] : Object.keys(known);
  const strange = roles.find((role) => !names.includes(role));
  if (strange !== undefined) {
    throw new BadArgumentError(`The model knows no role "${strange}", only ${names.join(', ')}`);
  }
  const rest = roles[0] === 'system' ? roles.slice(1) : roles;
  if (rest.includes('system') && (fold || order !== 'any')) {
    throw new BadArgumentError('A system message can only be the first');
  }
  if (fold && roles[0] === 'system' && rest[0] !== 'user') {
    throw new BadArgumentError('A system message must be followed by one of the user');
  }
  const alternates = rest.every((role, i) => role === (i % 2 === 0 ? 'user' : 'assistant'));
  if (order === 'alternate' && !alternates) {
    throw new BadArgumentError('Messages must be of user and assistant in turn, the user first');
  }
}

/** @param {Message[]} messages @param {Segments} chat @returns {string} */
function renderSegments(messages, chat) {
  const hasSystem = chat.system === null || messages[0].role === 'system';
  const whole = hasSystem ? messages : [{ role: 'system', content: chat.system ?? '' }, ...messages];
  whole.forEach(checkMessage);
  checkOrder(whole.map(({ role }) => role), chat);
  const turns = chat.fold && whole[0].role === 'system' ? folded(whole, chat) : whole.map((each) => contentOf(each, chat));
  return chat.start + turns.map((turn) => renderTurn(turn, chat)).join('') + chat.answer;
}

/** @param {Message} message @param {Segments} chat @returns {Message} */
function contentOf({ role, content }, { trim }) {
  return { role, content: trim.includes(role) ? trimmed(content) : content };
}

/** @param {Message[]} messages @param {Segments} chat @returns {Message[]} the first two are one */
function folded([system, user, ...rest], chat) {
  const { before, after, trim } = /** @type {NonNullable<Segments['fold']>} */ (chat.fold);
  const prefix = before + contentOf(system, chat).content + after;
  const content = trim ? trimmed(prefix + user.content) : prefix + contentOf(user, chat).content;
  return [{ role: user.role, content }, ...rest.map((message) => contentOf(message, chat))];
}

/** @param {Message} message @param {Segments} chat @returns {string} */
function renderTurn({ role, content }, { roles, omitEmpty }) {
  if (content === '' && omitEmpty.includes(role)) return '';
  return roles[role].join(content);
}

/**
 * The engine for templates is only loaded for a model that needs it.
 *
 * @param {Message[]} messages
 * @param {unknown} file what `chat_template.json` holds
 * @param {unknown[]} [tools]
 * @returns {Promise<string>}
 */
async function renderTemplate(messages, file, tools) {
  const { template, variables } = /** @type {Record<string, any>} */ (file ?? {});
  const { Template } = await import('./vendor/jinja.mjs');
  const parsed = attempt(() => new Template(template), 'The chat template cannot be read');
  const render = (/** @type {unknown[] | null} */ given) => {
    const context = { ...variables, messages, tools: given, documents: null, add_generation_prompt: true };
    return attempt(() => parsed.render(context), 'The chat template refuses these messages');
  };
  if (!tools) return render(null);
  const prompt = render(tools);
  if (prompt === render(null)) throw noTools();
  return prompt;
}

/** @returns {BadArgumentError} */
function noTools() {
  return new BadArgumentError('tools are given, and the chat template of this model has no place for any');
}

/**
 * @template T
 * @param {() => T} act
 * @param {string} what
 * @returns {T}
 */
function attempt(act, what) {
  try {
    return act();
  } catch (cause) {
    throw new TemplateFailedError(`${what}: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

/**
 * @param {Message[]} messages
 * @param {Chat | null} chat
 * @param {unknown} [file] what the template's file holds
 * @param {unknown[]} [tools] that the answer may call
 * @returns {Promise<string>} the prompt, up to where the answer begins
 * @throws {NoChatTemplateError | BadArgumentError | TemplateFailedError}
 */
export async function renderChat(messages, chat, file, tools) {
  if (!chat) throw new NoChatTemplateError('This model has no chat template');
  if (messages.length === 0) throw new BadArgumentError('The list of messages is empty');
  if ('template' in chat) return renderTemplate(messages, file, tools);
  if (tools) throw noTools();
  return renderSegments(messages, chat);
}
