/** Progress of loading a model: stage, bytes, speed, time left; Pause, and Cancel. */

import { DownloadControl } from '../engine/index.js';
import { announce } from './announcer.js';
import { rememberSpeed } from './connection_speed.js';
import { button, element } from './dom.js';
import { formatBytes, formatPercent, formatRemaining } from './format.js';
import { text } from './texts.js';
import { TransferSpeed } from './transfer_speed.js';

/** @typedef {import('../engine/index.js').Progress} Progress */

/** So often numbers change: readable, and a standstill shows. */
const TICK_MS = 250;
/** A screen reader hears of a long download so often, and of each quarter. */
const HEARD_MS = 20_000;

/** @type {Record<string, import('./texts.js').Key>} */
const STAGES = { manifest: 'load.manifest', download: 'load.download', compile: 'load.compile', ready: 'load.ready' };

export class LoadProgress {
  /** For the engine: the pause. */
  control = new DownloadControl();
  #bar = element('progress', { 'aria-label': text('load') });
  #stage = element('p', {});
  #bytes = element('p', { class: 'note numbers' });
  #note = element('p', { class: 'note' });
  #pause = button(text('pause'), () => this.#turn(), { class: 'quiet', hidden: '' });
  #cancel;
  #speed = new TransferSpeed();
  /** @type {Progress} */
  #progress = { stage: 'manifest', loaded: 0, total: 0 };
  #announced = '';
  #announcedAt = 0;
  #keptBytes;
  #isKept;
  #onProcessor;
  #readKept;

  /**
   * @param {object} options
   * @param {number} options.keptBytes of the download that are on this device already
   * @param {boolean} options.isKept whether that is all, so that nothing travels
   * @param {boolean} options.onProcessor whether it will run there, without WebGPU
   * @param {() => Promise<number>} options.readKept bytes that are kept by now
   * @param {() => void} options.onCancel
   */
  constructor({ keptBytes, isKept, onProcessor, readKept, onCancel }) {
    this.#keptBytes = keptBytes;
    this.#isKept = isKept;
    this.#onProcessor = onProcessor;
    this.#readKept = readKept;
    this.#cancel = button(text('cancel'), onCancel, { class: 'quiet' });
    const buttons = element('p', { class: 'row' }, this.#pause, this.#cancel);
    this.root = element('div', {}, this.#stage, this.#bar, this.#bytes, this.#note, buttons);
    this.#draw();
    const clock = setInterval(() => (this.root.isConnected ? this.#tick() : clearInterval(clock)), TICK_MS);
  }

  /** Bytes a second that the network brought; null where that was too little to tell. */
  get meanSpeed() {
    return this.#speed.mean;
  }

  /** @param {Progress} progress */
  update(progress) {
    const isNews = progress.stage !== this.#progress.stage;
    this.#progress = progress;
    this.#noteSpeed();
    if (isNews) this.#draw();
  }

  #tick() {
    this.#noteSpeed();
    this.#draw();
  }

  /** What is read from this device says nothing about the network. */
  #noteSpeed() {
    const { stage, loaded } = this.#progress;
    if (stage !== 'download' || this.control.paused || loaded < this.#keptBytes) return this.#speed.rest();
    return this.#speed.note(loaded);
  }

  #draw() {
    const { stage, loaded, total } = this.#progress;
    const downloads = stage === 'download' && total > 0;
    this.#stage.textContent = this.control.paused ? text('load.paused') : `${this.#words}…`;
    this.#offerPause(downloads && !this.#isKept);
    if (downloads) this.#showDownload(loaded, total);
    else this.#showNoBytes();
    this.#tell(downloads ? Math.floor((4 * loaded) / total) / 4 : 0);
  }

  get #words() {
    const { stage } = this.#progress;
    if (stage === 'download' && this.#isKept) return text('load.kept');
    if (stage === 'compile' && this.#onProcessor) return text('load.prepare');
    return text(STAGES[stage] ?? 'load');
  }

  /** @param {boolean} possible */
  #offerPause(possible) {
    if (!possible && document.activeElement === this.#pause) this.#cancel.focus();
    this.#pause.hidden = !possible;
  }

  #showNoBytes() {
    this.#bar.removeAttribute('value');
    this.#bytes.textContent = '';
    this.#note.textContent = '';
  }

  /**
   * @param {number} loaded
   * @param {number} total
   */
  #showDownload(loaded, total) {
    this.#bar.max = total;
    this.#bar.value = loaded;
    const bytes = text('load.bytes', { loaded: formatBytes(loaded), total: formatBytes(total) });
    this.#bytes.textContent = [bytes, ...this.#pace].join(' · ');
  }

  /** Speed and time left, where both are known. */
  get #pace() {
    const { loaded, total } = this.#progress;
    const speed = this.#speed.recent;
    if (speed === null || this.control.paused || this.#isKept) return [];
    return [text('load.pace', { size: formatBytes(speed) }), formatRemaining((1000 * (total - loaded)) / speed)];
  }

  #turn() {
    const { control } = this;
    if (control.paused) control.resume();
    else control.pause();
    this.#pause.textContent = control.paused ? text('resume') : text('pause');
    this.#note.textContent = '';
    if (control.paused) void this.#sayWhatIsKept();
    // The tab may be closed now.
    rememberSpeed(this.meanSpeed);
    this.#announced = '';
    this.#tick();
  }

  async #sayWhatIsKept() {
    const kept = await this.#readKept().catch(() => 0);
    if (!this.control.paused) return;
    this.#note.textContent = kept > 0 ? text('load.paused.kept', { size: formatBytes(kept) }) : text('load.paused.lost');
    announce(`${text('load.paused')}. ${this.#note.textContent}`);
  }

  /**
   * A screen reader hears each stage, each quarter, and now and then how long it still takes.
   * @param {number} quarter
   */
  #tell(quarter) {
    if (this.control.paused) return;
    const key = `${this.#progress.stage} ${quarter}`;
    const isDue = this.#progress.stage === 'download' && performance.now() - this.#announcedAt > HEARD_MS;
    if (key === this.#announced && !isDue) return;
    this.#announced = key;
    this.#announcedAt = performance.now();
    announce(this.#sentence);
  }

  get #sentence() {
    const { stage, loaded, total } = this.#progress;
    if (stage !== 'download' || total === 0) return this.#words;
    return [this.#words, formatPercent(Math.floor((100 * loaded) / total) / 100), ...this.#pace.slice(1)].join(', ');
  }
}
