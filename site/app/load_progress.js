/** Progress of loading a model: stage, bytes, speed, time left, and Cancel. */

import { announce } from './announcer.js';
import { button, element } from './dom.js';
import { formatBytes, formatRemaining } from './format.js';

/** @typedef {import('../engine/index.js').Progress} Progress */

/** A speed from less time than this says nothing about the rest. */
const STEADY_MS = 1000;

/** @type {Record<string, string>} */
const STAGES = {
  manifest: 'Reading the description of the model',
  download: 'Downloading',
  compile: 'Preparing the graphics processor',
  ready: 'Ready',
};

export class LoadProgress {
  #bar = element('progress', { 'aria-label': 'Loading the model' });
  #stage = element('p', {});
  #bytes = element('p', { class: 'note numbers' });
  #startedAt = 0;
  #startBytes = 0;
  #announced = '';
  #kept;
  #onProcessor;

  /**
   * @param {() => void} onCancel
   * @param {boolean} kept whether the model is already on this device, so that nothing travels
   * @param {boolean} onProcessor whether it will run there, without WebGPU
   */
  constructor(onCancel, kept, onProcessor) {
    this.#kept = kept;
    this.#onProcessor = onProcessor;
    this.root = element(
      'div',
      {},
      this.#stage,
      this.#bar,
      this.#bytes,
      element('p', { class: 'row' }, button('Cancel', onCancel, { class: 'quiet' })),
    );
    this.update({ stage: 'manifest', loaded: 0, total: 0 });
  }

  /** @param {Progress} progress */
  update({ stage, loaded, total }) {
    const words = this.#words(stage);
    this.#stage.textContent = `${words}…`;
    if (stage === 'download' && total > 0) this.#showDownload(loaded, total);
    else this.#showNoBytes();
    const quarter = total > 0 ? Math.floor((4 * loaded) / total) * 25 : 0;
    this.#tell(stage === 'download' ? `${words}, ${quarter} percent` : words);
  }

  /** @param {string} stage */
  #words(stage) {
    if (stage === 'download' && this.#kept) return 'Reading from this device';
    if (stage === 'compile' && this.#onProcessor) return 'Preparing the model';
    return STAGES[stage] ?? stage;
  }

  #showNoBytes() {
    this.#bar.removeAttribute('value');
    this.#bytes.textContent = '';
  }

  /**
   * @param {number} loaded
   * @param {number} total
   */
  #showDownload(loaded, total) {
    this.#bar.max = total;
    this.#bar.value = loaded;
    this.#bytes.textContent = `${formatBytes(loaded)} of ${formatBytes(total)}${this.#pace(loaded, total)}`;
  }

  /**
   * @param {number} loaded
   * @param {number} total
   */
  #pace(loaded, total) {
    if (this.#startedAt === 0) [this.#startedAt, this.#startBytes] = [performance.now(), loaded];
    const elapsed = performance.now() - this.#startedAt;
    const speed = (loaded - this.#startBytes) / elapsed;
    if (elapsed < STEADY_MS || speed === 0) return '';
    return ` · ${formatBytes(speed * 1000)} a second · ${formatRemaining((total - loaded) / speed)}`;
  }

  /**
   * A screen reader hears each stage, and each quarter of the download.
   * @param {string} text
   */
  #tell(text) {
    if (text !== this.#announced) announce(text);
    this.#announced = text;
  }
}
