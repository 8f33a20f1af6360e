/** Our engine's worker with its calls of WebGPU counted. */

import './count_in_worker.js';
import '/engine/worker.js';
