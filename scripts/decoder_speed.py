"""Time the engine's decoder on an artifact's coded weights, in one and in two workers of headless Chromium.

    python -m scripts.decoder_speed build/models/minilm-e4

Only decoding is timed: no line, no hashes, no GPU. Megabytes are of weights, not of what is downloaded. The first
round, in which the browser still compiles, is told apart.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from scripts.play_in_browser import FLAGS, PATIENCE_MS, serving
from scripts.programs import find_chromium

# Both are answered here, not by the server, whose pages let no foreign worker run.
_PAGE, _WORKER = "decoder-speed.html", "decoder-speed.js"
_WORKER_CODE = """
import { readChunk, STRETCH_BYTES } from '/engine/coding/chunk.js';
const memory = new Uint8Array(STRETCH_BYTES);
let chunks = [];
const fetched = async ({ url, bytes, chunkBytes, shardBytes }, first, step) => {
  const file = new Uint8Array(await (await fetch(url)).arrayBuffer());
  if (file.length !== bytes) throw new Error(`${url} has ${file.length} bytes`);
  const starts = Array.from({ length: Math.ceil(bytes / chunkBytes) }, (_, i) => i * chunkBytes);
  return starts.filter((_, i) => i % step === first)
    .map((start) => ({ chunk: file.slice(start, start + chunkBytes), shardBytes }));
};
self.onmessage = async ({ data: { files, first, step } }) => {
  if (files) chunks = (await Promise.all(files.map((file) => fetched(file, first, step)))).flat();
  else for (const { chunk, shardBytes } of chunks) readChunk(chunk, shardBytes, memory);
  self.postMessage(null);
};
"""
_MEASURE = """async ([folder, worker, count, rounds]) => {
  const base = new URL(`/models/${folder}/`, location.href).href;
  const { coded = [], shards } = await (await fetch(`${base}manifest.json`)).json();
  const both = coded.map((code, i) => [code, shards[i]]).filter(([code]) => code);
  const files = both.map(([code, shard]) =>
    ({ url: base + code.file, bytes: code.bytes, chunkBytes: code.chunk_bytes, shardBytes: shard.bytes }));
  const workers = Array.from({ length: count }, () => new Worker(`/${worker}`, { type: 'module' }));
  const ask = (task) => Promise.all(workers.map((each, first) => new Promise((resolve, reject) => {
    each.onmessage = resolve;
    each.onerror = ({ message }) => reject(new Error(message));
    each.postMessage({ ...task, first, step: count });
  })));
  await ask({ files });
  const seconds = [];
  for (let round = 0; round < rounds; round++) {
    const begin = performance.now();
    await ask({});
    seconds.push((performance.now() - begin) / 1000);
  }
  for (const each of workers) each.terminate();
  const bytes = both.reduce((sum, [, shard]) => sum + shard.bytes, 0);
  return { bytes, coded: both.reduce((sum, [code]) => sum + code.bytes, 0), seconds };
}"""


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="an artifact of `thistledown export --code-weights`")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2], metavar="COUNT")
    parser.add_argument("--rounds", type=int, default=15, help="the first one is told apart (default: 15)")
    options = parser.parse_args(argv)
    if options.rounds < 2:
        parser.error("--rounds must be 2 or more")
    with serving(options.folder) as address:
        for workers in options.workers:
            found = _measure(address, [options.folder.resolve().name, _WORKER, workers, options.rounds])
            if not found["bytes"]:
                parser.error(f"{options.folder} has no coded weights: export it with --code-weights")
            print(_line(workers, found))


def _measure(address: str, arguments: list[object]) -> dict[str, Any]:
    """In a browser of its own, so that each count of workers begins with nothing compiled."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
        context = browser.new_context()
        context.route(f"**/{_PAGE}", lambda route: route.fulfill(content_type="text/html", body=""))
        context.route(
            f"**/{_WORKER}", lambda route: route.fulfill(content_type="text/javascript", body=_WORKER_CODE)
        )
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(address + _PAGE)
        found: dict[str, Any] = page.evaluate(_MEASURE, arguments)
        browser.close()
        return found


def _line(workers: int, found: dict[str, Any]) -> str:
    first, *rates = [found["bytes"] / seconds / 1e6 for seconds in found["seconds"]]
    line = found["coded"] / found["bytes"] * median(rates)
    return (
        f"{workers} worker{'s' if workers > 1 else ''}: {median(rates):.0f} MB/s of weights, "
        f"{min(rates):.0f} to {max(rates):.0f}, first round {first:.0f}; keeps up with a line of {line:.0f} MB/s"
    )


if __name__ == "__main__":
    main()
