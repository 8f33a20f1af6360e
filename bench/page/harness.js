/** One tab, one adapter, all engines: opened once each, compared, then timed in the order that the bench asks for. */

import { adapter, isSoftware } from './adapter.js';
import { argmax } from './argmax.js';
import { differenceOf } from './difference.js';
import { countGpuCalls, liveBytes, startCounting } from './gpu_calls.js';
import { TimedOurs } from './timed_ours.js';

/** @typedef {{ ok: boolean, error?: string, facts?: any }} Opened */

/** @type {Map<string, any>} */
const runners = new Map();
startCounting();

/** @param {() => Promise<any>} make @param {string} name @returns {Promise<Opened>} */
async function opened(make, name) {
  const bytes = await liveBytes();
  const runner = await make();
  runners.set(name, runner);
  const gpuBytes = runner.uncounted ? null : (await liveBytes()) - bytes;
  return { ok: true, facts: { ...runner.facts, gpuBytes } };
}

/** @param {{ model: string, options: object }} job */
export function openOurs({ model, options }) {
  return opened(() => TimedOurs.open(model, options), 'thistledown');
}

/** @param {string} name @param {string} driver @param {unknown} job @returns {Promise<Opened>} */
export async function openPeer(name, driver, job) {
  try {
    const { open } = await import(`./${driver}`);
    return await opened(() => open(job), name);
  } catch (error) {
    return { ok: false, error: String(/** @type {any} */ (error)?.message ?? error) };
  }
}

/** @param {string} name @param {string} method @param {unknown[]} args @param {string | null} key @returns {Promise<number>} ms */
export async function measure(name, method, args, key) {
  const began = performance.now();
  const value = await runners.get(name)[method](...args);
  const ms = performance.now() - began;
  if (method === 'generate' && value.ids.length !== args[1]) {
    throw new Error(`${name} made ${value.ids.length} tokens instead of ${args[1]}`);
  }
  const time = key === null ? value : key === '' ? ms : value[key];
  if (!(time > 0)) throw new Error(`${name} took no time that can be told: ask for more tokens`);
  return time;
}

/** @param {string} one @param {string} other @param {number[]} ids */
export async function compareLogits(one, other, ids) {
  const [a, b] = [await runners.get(one).logits(ids), await runners.get(other).logits(ids)];
  // Log-probabilities are logits but for a number that is added to all, which no choice of a token depends on.
  const shift = runners.get(other).shifted ? mean(a) - mean(b) : 0;
  return { difference: differenceOf(b, a, shift), sameToken: argmax(a) === argmax(b) };
}

/** @param {Float32Array} values */
function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** @param {string} one @param {string} other @param {unknown} prompt @param {number} count */
export async function compareTokens(one, other, prompt, count) {
  const answers = [await runners.get(one).generate(prompt, count), await runners.get(other).generate(prompt, count)];
  const [a, b] = answers.map(({ ids }) => ids);
  const same = a.findIndex((/** @type {number} */ id, /** @type {number} */ i) => id !== b[i]);
  return { same: same < 0 ? a.length : same, of: count };
}

/** @param {string} one @param {string} other @param {unknown} texts @returns {Promise<number>} the least cosine */
export async function compareEmbeddings(one, other, texts) {
  const [a, b] = [await runners.get(one).embed(texts), await runners.get(other).embed(texts)];
  return Math.min(...a.map((/** @type {Float32Array} */ vector, /** @type {number} */ i) => cosine(vector, b[i])));
}

/** @param {Float32Array} a @param {Float32Array} b */
function cosine(a, b) {
  const dot = (/** @type {Float32Array} */ x, /** @type {Float32Array} */ y) => x.reduce((sum, v, i) => sum + v * y[i], 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

/** @param {string} name @param {string} method @param {any[]} args */
export async function gpuCalls(name, method, args) {
  const runner = runners.get(name);
  if (runner.uncounted) return { for: 'a token', calls: null };
  if (method !== 'generate' || args[1] < 2) return { for: 'a call', calls: await countGpuCalls(() => runner[method](...args)) };
  // What a prompt needs is in both, so that the difference is that of the tokens alone.
  const [prompt, count] = args;
  const few = await countGpuCalls(() => runner.generate(prompt, 1));
  const many = await countGpuCalls(() => runner.generate(prompt, count));
  const each = Object.keys(many).map((call) => [call, (many[call] - (few[call] ?? 0)) / (count - 1)]);
  return { for: 'a token', calls: Object.fromEntries(each) };
}

export async function device() {
  const found = await adapter();
  const { vendor, architecture, description } = found.info;
  const features = [...found.features].sort();
  return { vendor, architecture, description, software: isSoftware(found), browser: navigator.userAgent, features };
}

/** @returns {Promise<object>} what the page and its workers hold, GPU apart; null where the browser does not say */
export async function memory() {
  const { measureUserAgentSpecificMemory: ask } = /** @type {any} */ (performance);
  const scripts = ask ? await Promise.race([ask.call(performance), new Promise((done) => setTimeout(done, 30000))]) : null;
  return { scriptBytes: scripts?.bytes ?? null, gpuBytes: await liveBytes() };
}

export async function close() {
  for (const runner of runners.values()) await runner.close();
}
