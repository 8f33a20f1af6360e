/** The Chat page: a model and a conversation with it, which stays on this device. */

import { announceAlso } from '../announcer.js';
import { showDeviceNotice } from '../device_notice.js';
import { byId, element } from '../dom.js';
import { takesModelDown } from '../error_code.js';
import { latest } from '../latest.js';
import { mountModel } from '../model_choice.js';
import { problemPanel } from '../problem_panel.js';
import { connectSampling, limitSampling, readSampling, showDefaults } from '../sampling_form.js';
import { SentenceBuffer } from '../sentences.js';
import { SpeedMeter } from '../speed_meter.js';
import { text, textParts } from '../texts.js';
import { allowSending, connectComposer, focusComposer, showBusy } from './composer.js';
import { ContextMeter } from './context_meter.js';
import { Conversation } from './conversation.js';
import { ConversationList } from './conversation_list.js';
import {
  forgetConversation, forgetConversations, keepConversation, readConversations,
} from './conversation_store.js';
import { ThreadView } from './thread_view.js';

/** @typedef {import('../../engine/index.js').Model} Model */

const SPEED_MS = 250;

const system = byId('system', HTMLTextAreaElement);
const hint = byId('hint', HTMLElement);
const speed = byId('speed', HTMLElement);
const trouble = byId('trouble', HTMLElement);

/** @type {Model | null} */
let model = null;
/** @type {AbortSignal | null} */
let writing = null;
/** @type {Conversation[]} */
let conversations = [];
let open = Conversation.begin('');

const answering = latest(answer, showTrouble);
const meter = new ContextMeter(byId('context', HTMLElement));
const thread = new ThreadView(byId('said', HTMLElement), { onEdit: goBack, onAgain: goBack });
const list = new ConversationList(byId('conversations', HTMLElement), {
  onNew: () => openConversation(Conversation.begin(open.model)),
  onOpen: openConversation,
  onDelete: (conversation) => deleteThose((each) => each.id === conversation.id, () => forgetConversation(conversation.id)),
  onDeleteAll: () => deleteThose(() => true, forgetConversations),
});

/** @param {Conversation} conversation */
function openConversation(conversation) {
  answering.abort();
  open = conversation;
  system.value = open.system;
  trouble.replaceChildren();
  speed.textContent = '';
  meter.show(0);
  thread.show(open);
  list.show(conversations, open);
  focusComposer();
}

/**
 * Conversations leave the page only when nothing of them is kept, so that one that is gone stays gone.
 * @param {(conversation: Conversation) => boolean} which
 * @param {() => Promise<void>} forget
 */
async function deleteThose(which, forget) {
  conversations = conversations.filter((each) => !which(each)); // an answer that still comes is not kept any more
  await forget();
  if (which(open)) openConversation(Conversation.begin(open.model));
  else list.show(conversations, open);
}

/** @param {Conversation} conversation */
async function keep(conversation) {
  conversations = [conversation, ...conversations.filter(({ id }) => id !== conversation.id)];
  list.show(conversations, open);
  const isKept = await keepConversation(conversation);
  byId('not-kept', HTMLElement).hidden = isKept;
}

/** @param {string} content */
function send(content) {
  open.system = system.value;
  open.ask(content);
  thread.show(open);
  void answering.start();
}

/** @param {number} index of what goes, with all that follows @param {string} [content] said in its place */
function goBack(index, content) {
  if (model === null) return focusComposer();
  open.rewind(index);
  if (content !== undefined) return send(content);
  thread.show(open);
  void answering.start();
}

/** @param {AbortSignal} signal */
async function answer(signal) {
  if (model === null) return;
  trouble.replaceChildren();
  const conversation = open;
  const question = open.said.at(-1);
  writing = signal;
  await keep(conversation);
  if (signal.aborted) return;
  const view = thread.beginAnswer(conversation);
  showBusy(true);
  let isWhole = false;
  try {
    await write(model, conversation, view, signal);
    isWhole = true;
  } finally {
    const written = view.markdown.text;
    view.finish(!isWhole);
    if (written === '') view.root.remove();
    else if (conversation.said.at(-1) === question && conversations.includes(conversation)) {
      conversation.answer(written, !isWhole);
      await keep(conversation);
    }
    if (writing === signal) showBusy(false);
  }
}

/**
 * @param {Model} writer
 * @param {Conversation} conversation
 * @param {import('./message_view.js').MessageView} view
 * @param {AbortSignal} signal
 */
async function write(writer, conversation, view, signal) {
  const pace = new SpeedMeter();
  const sentences = new SentenceBuffer();
  const clock = setInterval(() => (speed.textContent = pace.summary), SPEED_MS);
  try {
    for await (const piece of writer.generate(conversation.messages, { ...readSampling(), signal })) {
      pace.count();
      thread.keepingEnd(() => view.markdown.append(piece.text));
      const said = sentences.push(piece.text);
      if (said !== '') announceAlso(said);
    }
    announceAlso(sentences.flush());
    showUse(writer);
  } finally {
    clearInterval(clock);
    speed.textContent = view.markdown.text === '' ? '' : pace.summary;
  }
}

/** @param {Model} writer */
function showUse(writer) {
  const { promptTokens = 0, tokens = 0, finish } = writer.stats().generation ?? {};
  meter.show(promptTokens + tokens);
  hint.textContent = text(finish === 'length' ? 'chat.cut' : 'chat.keys');
}

/** @param {unknown} error */
async function showTrouble(error) {
  if (takesModelDown(error)) return (await mounted)?.panel.fail(error);
  trouble.replaceChildren(problemPanel(error, () => answering.start()));
}

/** @param {Model} loaded */
function onReady(loaded) {
  if (!loaded.info.chat) return refuse();
  model = loaded;
  allowSending(true);
  limitSampling(loaded.info.context);
  if (loaded.info.generation) showDefaults(loaded.info.generation);
  meter.begin(loaded.info.context);
  hint.textContent = text('chat.keys');
  focusComposer();
}

/** A model that only continues texts. */
function refuse() {
  const page = element('a', { href: 'generate.html' + location.search }, text('chat.none.page'));
  hint.replaceChildren(...textParts('chat.none', { page }));
}

function onGone() {
  model = null;
  answering.abort();
  allowSending(false);
  onOffer(null);
}

/** @param {string | null} obstacle */
function onOffer(obstacle) {
  hint.textContent = obstacle ?? text('load.first');
}

async function showModel() {
  const talks = (/** @type {import('../catalogue.js').Entry} */ { manifest }) => !manifest.extraction;
  const found = await mountModel(byId('model', HTMLElement), 'text-generation', { onReady, onGone, onOffer }, talks);
  byId('chat', HTMLElement).hidden = found === null;
  conversations = await readConversations();
  openConversation(conversations[0] ?? Conversation.begin(found?.entry.url ?? ''));
  return found;
}

showDeviceNotice();
connectSampling();
connectComposer({ onSend: send, onStop: answering.abort });
const mounted = showModel();
