/**
 * Finds calls of tools in an answer, as chat templates have models write them: <tool_call>{"name", "arguments"}</tool_call>
 * (Qwen, Hermes, Granite 4), a list of such behind a mark that is no text (Granite 3, Mistral), or one object with
 * "parameters" (Llama). What is none of these is content.
 */

/** @typedef {{ name: string, arguments: string }} Call */
/** @typedef {{ content: string, calls: Call[] }} Found */

const OPEN = '<tool_call>';
const BLOCK = /<tool_call>([^]*?)(?:<\/tool_call>|$)/g;
const MARKS = /^\s*(?:<\|tool_call\|>|\[TOOL_CALLS\]|<\|python_tag\|>)?\s*/;
/** What a whole answer that is a call begins with. */
const BEGINNINGS = ['{', '[', '<|tool_call|>', '[TOOL_CALLS]', '<|python_tag|>'];

/** @param {string} text @returns {unknown} */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** @param {any} value @param {string[]} names @returns {Call | null} */
function callOf(value, names) {
  const given = value?.arguments ?? value?.parameters ?? {};
  const isCall = names.includes(value?.name) && typeof given === 'object' && !Array.isArray(given);
  return isCall ? { name: value.name, arguments: JSON.stringify(given) } : null;
}

/** @param {unknown} value a call or a list of them @param {string[]} names @returns {Call[] | null} null where any is none */
function callsOf(value, names) {
  const values = Array.isArray(value) ? value : [value];
  const calls = values.map((each) => callOf(each, names));
  return calls.length > 0 && calls.every((call) => call !== null) ? calls : null;
}

/** @param {string} text the end of an answer @param {string[]} names of the tools @returns {Found} */
export function findCalls(text, names) {
  const whole = callsOf(parsed(text.replace(MARKS, '')), names);
  if (whole) return { content: '', calls: whole };
  const blocks = [...text.matchAll(BLOCK)].map(([, inside]) => callsOf(parsed(inside), names));
  if (blocks.length === 0 || blocks.includes(null)) return { content: text, calls: [] };
  return { content: text.replace(BLOCK, '').trim(), calls: blocks.flatMap((calls) => calls ?? []) };
}

/** @param {string} text @param {string} mark @returns {boolean} either begins with the other */
function mayBegin(text, mark) {
  return text.startsWith(mark) || mark.startsWith(text);
}

/** Lets text through that cannot be part of a call, and holds the rest until the answer is whole. */
export class CallReader {
  /** @param {string[]} names of the tools; none: all is content */
  constructor(names) {
    this.names = names;
    this.held = '';
    this.begun = false;
  }

  /** @param {string} text that came @returns {string} content that is certain */
  push(text) {
    if (this.names.length === 0) return text;
    this.held += text;
    const start = this.held.trimStart();
    if (!this.begun && BEGINNINGS.some((mark) => mayBegin(start, mark))) return '';
    this.begun = true;
    return this.release();
  }

  /** @returns {string} up to where a block begins, or may begin */
  release() {
    const found = this.held.indexOf('<');
    let at = found;
    while (at >= 0 && !mayBegin(this.held.slice(at), OPEN)) at = this.held.indexOf('<', at + 1);
    const end = at < 0 ? this.held.length : at;
    const content = this.held.slice(0, end);
    this.held = this.held.slice(end);
    return content;
  }

  /** @returns {Found} the rest, behind the last text */
  finish() {
    return this.held === '' ? { content: '', calls: [] } : findCalls(this.held, this.names);
  }
}
