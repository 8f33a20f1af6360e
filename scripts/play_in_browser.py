"""Load a text generator in headless Chromium on a software adapter, generate, and say how long it took.

    python -m scripts.play_in_browser build/models/granite-350m --tokens 8

The adapter is SwiftShader on this machine's cores: the times show that a model of this size loads and answers, and say
nothing about a GPU.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scripts.programs import find_chromium

PATIENCE_MS = 1_500_000
FLAGS = ("--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--no-sandbox", "--no-first-run")
PLAY = """async ([folder, text, maxTokens]) => {
  const { load } = await import('/engine/index.js');
  const begin = performance.now();
  const model = await load(`/models/${folder}/`, { backend: 'webgpu' });
  const loaded = performance.now();
  const ids = [];
  for await (const { id } of model.generate(text, { maxTokens, temperature: 0 })) ids.push(id);
  const { info } = model;
  const stats = model.stats();
  await model.unload();
  return { loadSeconds: (loaded - begin) / 1000, ids, stats, choices: info.choices };
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="an artifact of the task text-generation")
    parser.add_argument("--prompt", default="The lightest thing that travels on the wind")
    parser.add_argument("--tokens", type=int, default=8)
    arguments = parser.parse_args()
    with serving(arguments.folder) as address:
        found = _play(address, [arguments.folder.resolve().name, arguments.prompt, arguments.tokens])
    print(json.dumps(found, indent=2))


@contextmanager
def serving(*folders: Path, sources: bool = True) -> Iterator[str]:
    """The address of a server; with `sources` its scripts are those of the tree, so that one can be imported alone."""
    command = [sys.executable, "-m", "webapp", "serve", *map(str, folders), "--port", "0"]
    command += ["--sources"] if sources else []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield server.stdout.readline().split(" is at ")[1].split()[0]
        finally:
            server.terminate()


def _play(address: str, arguments: list[object]) -> Any:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
        page = browser.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(f"{address}generate.html".replace("127.0.0.1", "localhost"))
        return page.evaluate(PLAY, arguments)


if __name__ == "__main__":
    main()
