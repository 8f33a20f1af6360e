/** Counts bytes for `onProgress`: never backwards, never more often than a screen can show. */

/** @typedef {'manifest' | 'download' | 'compile' | 'ready'} Stage */
/** @typedef {{ stage: Stage, loaded: number, total: number }} ProgressEvent loaded and total in bytes */

const INTERVAL_MS = 50;

export class Progress {
  /**
   * @param {(event: ProgressEvent) => void} report
   * @param {number} total bytes to come
   */
  constructor(report, total) {
    this.report = report;
    this.total = total;
    this.received = 0;
    /** Of those, bytes that the network brought. */
    this.fetched = 0;
    this.shown = 0;
    this.reportedAt = -Infinity;
    /** @type {Progress | null} of an earlier try */
    this.before = null;
  }

  /** @returns {Progress} of the same bytes once more: the screen waits until it is as far again */
  again() {
    const next = new Progress(this.report, this.total);
    next.shown = this.shown;
    next.before = this;
    // What this try has asked for may still come, and counts; but only one try may tell of it.
    this.report = () => undefined;
    return next;
  }

  /** @returns {number} bytes that the network brought, in earlier tries too */
  get networkBytes() {
    return this.fetched + (this.before?.networkBytes ?? 0);
  }

  /** @param {Stage} stage */
  enter(stage) {
    this.stage = stage;
    this.report({ stage, loaded: this.shown, total: this.total });
  }

  /** @param {number} bytes that came; negative for bytes that must come again */
  add(bytes) {
    this.received += bytes;
    if (this.received <= this.shown) return;
    const now = performance.now();
    if (now - this.reportedAt < INTERVAL_MS && this.received < this.total) return;
    this.reportedAt = now;
    this.shown = this.received;
    this.enter(this.stage ?? 'download');
  }
}
