/** One model on a page: what it costs, the button that loads it, its progress, and unloading. */

import { forget, inspect, keptModels, load } from '../engine/index.js';
import { announce } from './announcer.js';
import './backend_choice.js';
import { button, element } from './dom.js';
import { formatBytes } from './format.js';
import { LoadProgress } from './load_progress.js';
import { downloadOf, factsList, isKept } from './model_facts.js';
import { codeOf, isAbort } from './error_code.js';
import { rememberSpeed } from './connection_speed.js';
import { problemPanel } from './problem_panel.js';
import { priceList } from './price_list.js';
import { problemOf } from './problems.js';
import { estimateRoom } from './room.js';
import { text } from './texts.js';
import { verdictView } from './verdict.js';

/**
 * @typedef {import('../engine/index.js').Inspection} Inspection
 * @typedef {import('./catalogue.js').Entry} Entry
 * @typedef {import('../engine/index.js').Model} Model
 */

/**
 * @typedef {object} Hooks
 * @property {(model: Model) => void} onReady
 * @property {() => void} onGone
 * @property {(obstacle: string | null) => void} onOffer says whether a model can be loaded, or what is in the way
 */

/** Drivers that compute on the CPU, as `GPUAdapterInfo` names them. */
const SOFTWARE_ADAPTER = /swiftshader|llvmpipe|lavapipe|basic render/i;

export class ModelPanel {
  #body;
  #entry;
  #onReady;
  #onGone;
  #onOffer;
  #keptBytes = 0;
  #isKept = false;
  #onProcessor = false;
  /** @type {Model | null} */
  #model = null;
  /** @type {Promise<void> | null} */
  #loading = null;

  /**
   * @param {HTMLElement} body
   * @param {Entry} entry
   * @param {Hooks} hooks
   */
  constructor(body, entry, { onReady, onGone, onOffer }) {
    this.#body = body;
    this.#entry = entry;
    this.#onReady = onReady;
    this.#onGone = onGone;
    this.#onOffer = onOffer;
  }

  get #url() {
    return new URL(this.#entry.url, document.baseURI).href;
  }

  /** Says what the model costs and whether it runs here. No weight is fetched. */
  async offer() {
    const heading = this.#heading();
    const checking = element('p', { class: 'verdict' }, text('panel.checking'));
    this.#body.replaceChildren(heading, priceList(this.#entry), checking);
    const looking = inspect(this.#url, { sha256: this.#entry.sha256 }).catch((error) => ({ error }));
    const [inspection, room] = await Promise.all([looking, estimateRoom()]);
    if ('error' in inspection) return this.#refuse(inspection.error);
    this.#isKept = isKept(inspection);
    this.#onProcessor = inspection.backend === 'wasm';
    this.#keptBytes = inspection.cachedBytes;
    this.#body.replaceChildren(heading, priceList(this.#entry, inspection, room), ...verdictView(inspection));
    if (inspection.ok) this.#body.append(this.#loadButton(inspection));
    if (inspection.cachedBytes > 0) this.#body.append(this.#keptNote(inspection.cachedBytes));
    this.#body.append(factsList(this.#entry, inspection));
    this.#onOffer(inspection.ok ? null : obstacle(inspection.code));
  }

  /** @param {unknown} error */
  #refuse(error) {
    this.#showProblem(error, () => this.offer());
    this.#onOffer(obstacle(codeOf(error)));
  }

  /**
   * Back to the offer, with the focus on the way to load.
   * @param {string} happened
   */
  async #offerAgain(happened) {
    announce(happened);
    await this.offer();
    /** @type {HTMLElement | null} */ (this.#body.querySelector('.load') ?? this.#body.querySelector('button'))?.focus();
  }

  /** Shows what ended the model's life on this page, with the way to load it again. @param {unknown} error */
  fail(error) {
    void this.#release();
    this.#showProblem(error, () => this.load());
  }

  /** @param {number} bytes of the download that an earlier visit left on this device */
  #keptNote(bytes) {
    const remove = button(text('panel.deleteKept'), () => this.#forget(), { class: 'link' });
    const kept = this.#isKept ? text('panel.keptAll') : text('panel.keptPart', { size: formatBytes(bytes) });
    return element('p', { class: 'note' }, `${kept} `, remove);
  }

  async #forget() {
    await forget(this.#url);
    await this.#offerAgain(text('panel.deleted'));
  }

  /** @param {Inspection} inspection */
  #loadButton(inspection) {
    return button(this.#loadLabel(inspection), () => this.load(), { class: 'load' });
  }

  /** @param {Inspection} inspection */
  #loadLabel(inspection) {
    const { cachedBytes, downloadBytes } = inspection;
    if (this.#isKept) return text('panel.loadKept');
    if (cachedBytes > 0) return text('panel.loadRest', { size: formatBytes(downloadBytes - cachedBytes) });
    const bytes = downloadOf(this.#entry, inspection);
    return bytes === undefined ? text('panel.load') : text('panel.loadSize', { size: formatBytes(bytes) });
  }

  /** Loads the model, unless it is there or on its way; resolves when it is ready, or why not has been shown. */
  async load() {
    if (this.#model !== null) return;
    this.#loading ??= this.#load().finally(() => (this.#loading = null));
    await this.#loading;
  }

  async #load() {
    const aborter = new AbortController();
    const progress = this.#beginProgress(() => aborter.abort());
    try {
      const { sha256 } = this.#entry;
      const onProgress = progress.update.bind(progress);
      const { signal } = aborter;
      const model = await load(this.#url, { sha256, signal, onProgress, control: progress.control });
      this.#showReady(model);
    } catch (error) {
      await this.#giveUp(error);
    } finally {
      rememberSpeed(progress.meanSpeed);
    }
  }

  /** @param {() => void} onCancel */
  #beginProgress(onCancel) {
    const url = this.#url;
    const readKept = async () => (await keptModels()).find((kept) => kept.url === url)?.keptBytes ?? 0;
    const progress = new LoadProgress({ keptBytes: this.#keptBytes, isKept: this.#isKept, onProcessor: this.#onProcessor, readKept, onCancel });
    progress.root.style.cssText = `min-height: ${this.#body.offsetHeight}px; align-content: start`; // a double click hits nothing else
    this.#show(progress.root);
    return progress;
  }

  /** @param {unknown} error */
  async #giveUp(error) {
    if (!isAbort(error)) return this.#showProblem(error, () => this.load());
    await this.#offerAgain(text('panel.cancelled'));
  }

  /** @param {Model} model */
  #showReady(model) {
    this.#model = model;
    this.#show(
      this.#heading(),
      element('p', { class: 'verdict good loaded' }, text('panel.loaded')),
      element('p', { class: 'note' }, memoryInWords(model)),
      ...softwareNote(model),
      element(
        'p',
        { class: 'row' },
        button(text('panel.unload'), () => this.#unload(), { class: 'quiet' }),
      ),
    );
    announce(text('panel.ready'));
    this.#onReady(model);
  }

  async #release() {
    const model = this.#model;
    this.#model = null;
    this.#onGone();
    await model?.unload();
  }

  async #unload() {
    await this.#release();
    await this.#offerAgain(text('panel.unloaded'));
  }

  /**
   * @param {unknown} error
   * @param {() => void} retry
   */
  #showProblem(error, retry) {
    this.#body.replaceChildren(this.#heading(), problemPanel(error, retry));
  }

  #heading() {
    return element('h3', { translate: 'no' }, this.#entry.manifest.title);
  }

  /**
   * Replaces what is shown; focus that was on it goes to the first button of what follows.
   * @param {...Node} children
   */
  #show(...children) {
    const focused = this.#body.contains(document.activeElement);
    this.#body.replaceChildren(...children);
    if (focused) this.#body.querySelector('button')?.focus();
  }
}

/** @param {string | null} code */
function obstacle(code) {
  return text('panel.obstacle', { why: problemOf(code ?? '').title });
}

/** @param {Model} model */
function memoryInWords({ info: { backend, memoryBytes } }) {
  return text(backend === 'wasm' ? 'panel.ram' : 'panel.memory', { size: formatBytes(memoryBytes) });
}

/** @param {Model} model */
function softwareNote({ info: { adapter } }) {
  if (!SOFTWARE_ADAPTER.test(`${adapter.vendor} ${adapter.architecture} ${adapter.description}`)) return [];
  return [element('p', { class: 'note' }, text('panel.software'))];
}
