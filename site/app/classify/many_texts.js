/** Many texts go through the model, batch by batch: they can be stopped, gone on with, and judged by other labels. */

import { announce } from '../announcer.js';
import { button, byId, element } from '../dom.js';
import { latest } from '../latest.js';
import { inBatches } from '../paced_batches.js';
import { ReadingProgress } from '../reading_progress.js';
import { text as say } from '../texts.js';

/**
 * @typedef {import('./sorted_texts.js').Row} Row
 * @typedef {import('./sorters.js').Sorter} Sorter
 */

const PROGRESS = /** @type {const} */ ({ name: 'search.reading', count: 'lines.progress', end: 'stop' });
/** So many rows are judged before the page may do something else. */
const JUDGED_AT_ONCE = 500;

const place = byId('reading', HTMLElement);

export class ManyTexts {
  /** Those that were read, in their order. @type {Row[]} */
  rows = [];
  /** @type {string[]} */
  #texts = [];
  #needSorter;
  #onRows;
  #reading;

  /**
   * @param {object} hooks
   * @param {() => Promise<Sorter | null>} hooks.needSorter loads the model, unless it is there; null where that failed
   * @param {() => void} hooks.onRows there are more rows, or others
   * @param {(error: unknown) => void} hooks.onError
   */
  constructor({ needSorter, onRows, onError }) {
    this.#needSorter = needSorter;
    this.#onRows = onRows;
    this.#reading = latest((signal) => this.#read(signal), onError);
  }

  /** @param {string[]} texts */
  begin(texts) {
    [this.#texts, this.rows] = [texts, []];
    this.#onRows();
    void this.#reading.start();
  }

  /** What was read so far stays. */
  abort() {
    this.#reading.abort();
    if (this.rows.length === this.#texts.length) return;
    place.replaceChildren(
      element(
        'div',
        { class: 'notice' },
        element('p', {}, say('lines.stopped', { done: this.rows.length, n: this.#texts.length })),
        element('p', { class: 'row' }, button(say('search.readOn'), () => this.#reading.start())),
      ),
    );
  }

  /**
   * Judges all that were read again, for other labels.
   * @param {Sorter} sorter
   * @param {AbortSignal} signal
   */
  async judge(sorter, signal) {
    for (let i = 0; i < this.rows.length && !signal.aborted; i++) {
      this.rows[i].best = sorter.judge(this.rows[i].reading)[0] ?? null;
      if (i % JUDGED_AT_ONCE === JUDGED_AT_ONCE - 1) await new Promise((resolve) => setTimeout(resolve));
    }
    if (this.rows.length > 0 && !signal.aborted) this.#onRows();
  }

  /** @param {AbortSignal} signal */
  async #read(signal) {
    const sorter = await this.#needSorter();
    if (sorter === null || signal.aborted) return;
    const progress = new ReadingProgress(this.#texts.length, PROGRESS, () => this.#stop());
    progress.update(this.rows.length);
    place.replaceChildren(progress.root);
    announce(say('search.reads'));
    try {
      await inBatches(this.#texts.slice(this.rows.length), async (batch) => {
        await this.#add(sorter, batch, signal);
        progress.update(this.rows.length);
      });
      announce(say('lines.done', { n: this.rows.length }));
    } finally {
      progress.root.remove();
    }
  }

  /**
   * @param {Sorter} sorter
   * @param {string[]} batch
   * @param {AbortSignal} signal
   */
  async #add(sorter, batch, signal) {
    const readings = await sorter.read(batch, signal);
    if (signal.aborted) return;
    const first = this.rows.length + 1;
    this.rows.push(
      ...batch.map((text, i) => ({
        place: first + i,
        text,
        reading: readings[i],
        best: sorter.judge(readings[i])[0] ?? null,
      })),
    );
    this.#onRows();
  }

  #stop() {
    this.abort();
    place.querySelector('button')?.focus();
    announce(say('lines.stopped', { done: this.rows.length, n: this.#texts.length }));
  }
}
