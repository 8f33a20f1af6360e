// Stands in for the engine's door where a test is about the pages. What it does is set by `window.engineDouble`:
// { inspection, inspectError, loadErrors: [code], embedErrors: { text: code }, generateErrors: [code], slow: ms, kept, compileMs, kinship, words, answer, chat, generation, finish, classes: { text: [{ label, score }] }, labels: { word: label } }.
// `kept` are the models on the device: [{ url, title, usedAt, bytes, keptBytes }], `url` relative to the site.
// `answer` is written once, a token a word; `words` are written again and again.
// Errors are thrown by one call each, in order or for a text.

const settings = { inspection: {}, loadErrors: [], embedErrors: {}, generateErrors: [], slow: 0, kept: [], kinship: 0.15, compileMs: 0, chat: false, generation: { temperature: 0.7, topK: 50, topP: 0.9 }, finish: 'length', vendor: 'acme', words: 'One sentence. Another one! ', answer: null, classes: {}, labels: {}, ...globalThis.engineDouble };
const WEIGHTS = 22_700_000;
globalThis.engineCalls = [];

function failure(code) {
  return Object.assign(new Error(`the ${code} of a test`), { code });
}

function pause(signal, ms = settings.slow) {
  return new Promise((resolve, reject) => {
    const end = () => (signal?.aborted ? reject(failure('ABORTED')) : resolve());
    signal?.addEventListener('abort', end);
    setTimeout(end, ms);
  });
}

function aborted(signal) {
  return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(failure('ABORTED'))));
}

export async function inspect(url) {
  globalThis.engineCalls.push(['inspect', url]);
  if (settings.inspectError) throw failure(settings.inspectError);
  return { ok: true, code: null, reason: null, needed: null, available: null, backend: 'webgpu', tier: 'base', downloadBytes: WEIGHTS, memoryBytes: WEIGHTS, cachedBytes: 0, ...settings.inspection };
}

export class DownloadControl {
  paused = false;
  #turned = () => {};

  pause() {
    this.paused = true;
  }

  resume() {
    this.paused = false;
    this.#turned();
  }

  async passed() {
    while (this.paused) await new Promise((resolve) => (this.#turned = resolve));
  }
}

export async function load(url, { onProgress, signal, control }) {
  globalThis.engineCalls.push(['load', url]);
  onProgress({ stage: 'manifest', loaded: 0, total: WEIGHTS });
  for (let part = 0; part <= 8; part++) {
    await pause(signal);
    await Promise.race([control?.passed(), aborted(signal)]);
    onProgress({ stage: 'download', loaded: (WEIGHTS * part) / 8, total: WEIGHTS });
  }
  onProgress({ stage: 'compile', loaded: WEIGHTS, total: WEIGHTS });
  await pause(signal, settings.compileMs);
  const code = settings.loadErrors.shift();
  if (code) throw failure(code);
  onProgress({ stage: 'ready', loaded: WEIGHTS, total: WEIGHTS });
  return { info: { backend: settings.inspection.backend ?? 'webgpu', tier: 'base', memoryBytes: 31_457_280, context: 512, dimensions: 256, chat: settings.chat, generation: settings.generation, adapter: { vendor: settings.vendor, architecture: '', description: '' } }, embed, generate, classify, classifyTokens, stats: () => ({ generation: { finish: settings.finish, promptTokens: 8, tokens: 4 } }), unload: async () => {} };
}

export async function keptModels() {
  return settings.kept.map((each) => ({ ...each, url: new URL(each.url, document.baseURI).href, usedAt: new Date(each.usedAt) }));
}

export async function forget(url) {
  globalThis.engineCalls.push(['forget', url]);
  settings.kept = settings.kept.filter((each) => new URL(each.url, document.baseURI).href !== url);
  delete settings.inspection.cachedBytes;
}

// A direction for each stem of four letters, so that texts that share words are near; `kinship` is what all share.
function direction(text) {
  const data = new Float32Array(256).fill(settings.kinship);
  for (const word of text.toLowerCase().match(/\p{L}{4,}/gu) ?? []) {
    let hash = 7;
    for (const letter of word.slice(0, 4)) hash = (hash * 31 + letter.codePointAt(0)) >>> 0;
    data[hash % 256] += 1;
  }
  const length = Math.hypot(...data) || 1;
  return data.map((value) => value / length);
}

async function embed(texts, { signal } = {}) {
  globalThis.engineCalls.push(['embed', texts.length]);
  await pause(signal);
  const code = settings.embedErrors[texts[0]];
  delete settings.embedErrors[texts[0]];
  if (code) throw failure(code);
  return texts.map((text) => ({ data: direction(text), tokens: 9, truncated: text.length > 880 }));
}

// Of a text that the test says nothing of, every class is as likely.
async function classify(texts, { signal } = {}) {
  globalThis.engineCalls.push(['classify', texts.length]);
  await pause(signal);
  return texts.map((text) => settings.classes[text] ?? [{ label: 'yes', score: 0.5 }, { label: 'no', score: 0.5 }]);
}

async function classifyTokens(text, { signal } = {}) {
  globalThis.engineCalls.push(['classifyTokens', text]);
  await pause(signal);
  return [...text.matchAll(/\p{L}+/gu)].map(({ 0: word, index }) => ({ text: word, start: index, end: index + word.length, label: settings.labels[word] ?? 'O', score: 0.9 }));
}

async function* generate(prompt, { signal, ...options }) {
  globalThis.engineCalls.push(['generate', prompt, options]);
  const code = settings.generateErrors.shift();
  if (code) throw failure(code);
  const words = (settings.answer ?? settings.words).split(/(?<= )/);
  const most = settings.answer === null ? options.maxTokens : words.length;
  for (let id = 0; id < most; id++) {
    await pause(signal, settings.slow);
    yield { id, text: words[id % words.length] };
  }
}
