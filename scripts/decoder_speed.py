"""Time the engine's decoder on an artifact's coded weights, in one and in two workers of headless Chromium.

    python -m scripts.decoder_speed build/models/minilm-e4

Only decoding is timed: no line, no hashes, no GPU. Megabytes are of weights, not of what is downloaded. The first
round, in which the browser still compiles, is told apart.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
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
const work = async ({ files, first, step }) => {
  if (files) chunks = (await Promise.all(files.map((file) => fetched(file, first, step)))).flat();
  else for (const { chunk, shardBytes } of chunks) readChunk(chunk, shardBytes, memory);
};
self.onmessage = ({ data }) =>
  work(data).then(() => self.postMessage(null), (error) => self.postMessage(String(error)));
"""
_MEASURE = """async ([folder, worker, count, rounds, files]) => {
  const base = new URL(`/models/${folder}/`, location.href).href;
  const workers = Array.from({ length: count }, () => new Worker(`/${worker}`, { type: 'module' }));
  const ask = (task) => Promise.all(workers.map((each, first) => new Promise((resolve, reject) => {
    each.onmessage = ({ data }) => (data ? reject(new Error(data)) : resolve());
    each.onerror = ({ message }) => reject(new Error(message));
    each.postMessage({ ...task, first, step: count });
  })));
  await ask({ files: files.map(({ file, ...facts }) => ({ ...facts, url: base + file })) });
  const seconds = [];
  for (let round = 0; round < rounds; round++) {
    const begin = performance.now();
    await ask({});
    seconds.push((performance.now() - begin) / 1000);
  }
  for (const each of workers) each.terminate();
  return seconds;
}"""

File = Mapping[str, Any]


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="an artifact of `thistledown export --code-weights`")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2], metavar="COUNT")
    parser.add_argument("--rounds", type=int, default=15, help="the first one is told apart (default: 15)")
    options = parser.parse_args(argv)
    if options.rounds < 2 or min(options.workers) < 1:
        parser.error("take at least 2 rounds and 1 worker")
    files = _coded_files(options.folder)
    if not files:
        parser.error(f"{options.folder} has no coded weights: export it with --code-weights")
    with serving(options.folder) as address:
        for workers in options.workers:
            job = [options.folder.resolve().name, _WORKER, workers, options.rounds, files]
            print(_line(workers, files, _measure(address, job)), flush=True)


def _coded_files(folder: Path) -> Sequence[File]:
    manifest = json.loads((folder / "manifest.json").read_text())
    return [
        {
            "file": coded["file"],
            "bytes": coded["bytes"],
            "chunkBytes": coded["chunk_bytes"],
            "shardBytes": shard["bytes"],
        }
        for coded, shard in zip(manifest.get("coded", []), manifest["shards"], strict=False)
        if coded
    ]


def _measure(address: str, job: Sequence[object]) -> Sequence[float]:
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
        seconds: Sequence[float] = page.evaluate(_MEASURE, job)
        browser.close()
        return seconds


def _line(workers: int, files: Sequence[File], seconds: Sequence[float]) -> str:
    coded, weights = (sum(file[key] for file in files) for key in ("bytes", "shardBytes"))
    first, *rates = [weights / each / 1e6 for each in seconds]
    middle = median(rates)
    return (
        f"{workers} worker{'s' if workers > 1 else ''}: {middle:.0f} MB/s of weights, {min(rates):.0f} to "
        f"{max(rates):.0f}, first round {first:.0f}; as much as a line of {middle * coded / weights:.0f} MB/s brings"
    )


if __name__ == "__main__":
    main()
