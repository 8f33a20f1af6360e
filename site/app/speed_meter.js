/** How fast text comes: time to the first token, and tokens a second after it. */

import { formatDuration } from './format.js';
import { text } from './texts.js';

export class SpeedMeter {
  #startedAt = performance.now();
  #firstAt = 0;
  #lastAt = 0;
  #tokens = 0;

  count() {
    this.#lastAt = performance.now();
    if (this.#tokens === 0) this.#firstAt = this.#lastAt;
    this.#tokens += 1;
  }

  get summary() {
    if (this.#tokens === 0) return text('speed.reading');
    const parts = [
      text('speed.tokens', { n: this.#tokens }),
      text('speed.first', { time: formatDuration(this.#firstAt - this.#startedAt) }),
    ];
    const seconds = (this.#lastAt - this.#firstAt) / 1000;
    if (seconds > 0) parts.push(text('speed.rate', { n: (this.#tokens - 1) / seconds }));
    return parts.join(' · ');
  }
}
