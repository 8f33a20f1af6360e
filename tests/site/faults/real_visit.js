/** A worker that brings a model for real: the browser's own store, locks and network; tells how it ended. */

import { EngineError } from '/engine/errors.js';
import { sha256 } from '/engine/hashing.js';
import { Progress } from '/engine/progress.js';
import { openStore } from '/engine/storage/store.js';
import { makeSupply } from '/engine/transfer/supply.js';
import { bringModel } from './bring_model.js';

/** Offsets of chunks that were verified, by file. */
const taken = new Map();
const wrong = [];
const { fetch } = globalThis;

addEventListener('unhandledrejection', (event) => wrong.push(`unhandled ${event.reason}`));

/** What was verified must not be asked for again; a server that ignores ranges leaves no choice. */
globalThis.fetch = (url, init) => {
  const name = url.slice(url.lastIndexOf('/') + 1);
  const [, start, last] = /^bytes=(\d+)-(\d+)$/.exec(init?.headers?.range ?? '') ?? [];
  const again = start && [...(taken.get(name) ?? [])].filter((offset) => offset >= Number(start) && offset <= Number(last));
  if (again?.length) wrong.push(`verified chunk asked for again: ${name} at ${again}`);
  return fetch(url, init);
};

/** @param {{ base: string, model: { files: any[], manifest: unknown, total: number }, waits: object, shown?: boolean }} order */
async function visit({ base, model, waits, shown }) {
  const got = new Map(model.files.map(({ file, bytes }) => [file, new Uint8Array(bytes)]));
  const report = ({ loaded }) => shown && postMessage({ loaded });
  const progress = new Progress(report, model.total);
  const supply = Object.assign(makeSupply(base, await openStore(), progress, new AbortController().signal), waits);
  const sink = ({ file }, chunk, offset) => {
    got.get(file).set(chunk, offset);
    taken.set(file, (taken.get(file) ?? new Set()).add(offset));
  };
  const cause = await bringModel(model, supply, sink).then(() => null, (thrown) => thrown);
  if (cause !== null && !(cause instanceof EngineError)) wrong.push(`untyped ${cause?.stack ?? cause}`);
  for (const file of cause === null ? model.files : []) {
    if ((await sha256(got.get(file.file))) !== file.sha256) wrong.push(`wrong bytes in ${file.file}`);
  }
  // Rejections that nobody handles are told in the next task.
  await new Promise((resolve) => setTimeout(resolve));
  const code = cause === null ? 'none' : cause.code ?? String(cause);
  return { code, wrong, fetched: progress.fetched, notKept: supply.keeping.refusal, store: supply.store.kind };
}

globalThis.onmessage = async ({ data }) => postMessage({ report: await visit(data) });
