/** Progress of loading a model: stage, bytes, speed, time left, and Cancel. */

import { announce } from './announcer.js';
import { button, element } from './dom.js';
import { formatBytes, formatPercent, formatRemaining } from './format.js';
import { text } from './texts.js';

/** @typedef {import('../engine/index.js').Progress} Progress */

/** A speed from less time than this says nothing about the rest. */
const STEADY_MS = 1000;

/** @type {Record<string, import('./texts.js').Key>} */
const STAGES = { manifest: 'load.manifest', download: 'load.download', compile: 'load.compile', ready: 'load.ready' };

export class LoadProgress {
  #bar = element('progress', { 'aria-label': text('load') });
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
      element('p', { class: 'row' }, button(text('cancel'), onCancel, { class: 'quiet' })),
    );
    this.update({ stage: 'manifest', loaded: 0, total: 0 });
  }

  /** @param {Progress} progress */
  update({ stage, loaded, total }) {
    const words = this.#words(stage);
    this.#stage.textContent = `${words}…`;
    if (stage === 'download' && total > 0) this.#showDownload(loaded, total);
    else this.#showNoBytes();
    const quarter = total > 0 ? Math.floor((4 * loaded) / total) / 4 : 0;
    this.#tell(stage === 'download' ? `${words}, ${formatPercent(quarter)}` : words);
  }

  /** @param {string} stage */
  #words(stage) {
    if (stage === 'download' && this.#kept) return text('load.kept');
    if (stage === 'compile' && this.#onProcessor) return text('load.prepare');
    return text(STAGES[stage] ?? 'load');
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
    const bytes = text('load.bytes', { loaded: formatBytes(loaded), total: formatBytes(total) });
    this.#bytes.textContent = `${bytes}${this.#pace(loaded, total)}`;
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
    const pace = text('load.pace', { size: formatBytes(speed * 1000) });
    return ` · ${pace} · ${formatRemaining((total - loaded) / speed)}`;
  }

  /**
   * A screen reader hears each stage, and each quarter of the download.
   * @param {string} words
   */
  #tell(words) {
    if (words !== this.#announced) announce(words);
    this.#announced = words;
  }
}
