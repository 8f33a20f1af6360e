"""The engine's insides on the page itself, where tests reach them and can count its calls to the GPU."""

from collections.abc import Mapping
from pathlib import Path

# Opens `args.url` as `session`; `after(ids)` gives how many ids the states held already, and the logits after the last.
OPEN = """
  const { readManifest } = await import('/engine/manifest.js');
  const { openSession } = await import('/engine/session.js');
  const { generate } = await import('/engine/generation/generate.js');
  const { historyOf } = await import('/engine/generation/history.js');
  const { pacesOf, prefill, logits } = await import('/engine/generation/prefill.js');
  const manifest = readManifest(await (await fetch(args.url + 'manifest.json')).json(), args.url);
  const { signal } = new AbortController();
  const request = { base: args.url, manifest, tier: 'base', tune: 'off' };
  const session = await openSession(request, () => {}, signal);
  const after = async (ids) => {
    const { last, reused } = await prefill(session, ids, { limit: 0, signal });
    historyOf(session).hold(ids);
    const encoder = session.device.gpu.createCommandEncoder();
    session.player.play(encoder, 'head', last);
    const source = { from: session.buffers.get('logits'), bytes: manifest.vocabulary * 4 };
    const bytes = await session.logitsReadback.submit(encoder, [source]);
    return { reused, logits: [...new Float32Array(bytes)] };
  };
  const fresh = async (ids) => [...await logits(session, ids, undefined, signal)];
  const answer = async (prompt, options, enough = () => false) => {
    const ids = [];
    for await (const pieces of generate(session, prompt, options, signal)) {
      ids.push(...pieces.map(({ id }) => id));
      if (enough(ids)) break;
    }
    return ids;
  };
"""

# Loads `args.base` with its defaults; `logits()` of `args.ids`, `answer(options)` to a prompt, `codeOf(promise)`.
LOADED = """
  const model = await engine.load(args.base, { tune: 'off', tier: 'base' });
  const logits = async () => [...await model.logits(args.ids)];
  const answer = async (options = {}) => {
    const ids = [];
    const given = { maxTokens: 12, temperature: 0, ...options };
    for await (const { id } of model.generate('The lightest thing', given)) ids.push(id);
    return ids;
  };
  const codeOf = (promise) => promise.then(() => null, (error) => error.code);
"""
UNLOADED = "\n  await model.unload();\n  return found;"


def folder_files(folder: Path) -> Mapping[str, bytes]:
    """An exported artifact as the engine's server takes it."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
