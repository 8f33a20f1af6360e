/** Starts counting before the engine's modules run, and answers who asks. */

import { counts, countHere, readTimes } from './gpu_counts.js';

countHere();
const channel = new BroadcastChannel('bench-gpu-calls');
channel.onmessage = ({ data }) => {
  if (data.ask) channel.postMessage({ counts, readTimes });
};
