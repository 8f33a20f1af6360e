"""Time how soon a page can be used on a first visit over Fast 4G, as Chromium's DevTools slow it down.

    python -m scripts.loading_time build/models/minilm build/models/extract

A page can be used when its cards or its button to load a model are there. The server is our own, over HTTP/1.1; every
visit has a browser context of its own, with nothing kept. What the machine computes counts, so let it be quiet.
"""

import argparse
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from scripts.play_in_browser import FLAGS, serving
from scripts.programs import find_headless_shell

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# DevTools' "Fast 4G": bytes a second, milliseconds.
FAST_4G = {"offline": False, "latency": 165, "downloadThroughput": 8.1e6 / 8, "uploadThroughput": 1.35e6 / 8}
# A page that finds only a software adapter looks for what the CPU needs, in two rounds more.
AS_WITH_A_GPU = "globalThis.thistledownBackend = 'webgpu'"
LOAD = "main button.load:enabled"
PAGES = {
    "index.html": "#models article a",
    "search.html": LOAD,
    "classify.html": LOAD,
    "chat.html": LOAD,
    "generate.html": LOAD,
    "extract.html": LOAD,
}
WATCH = """(selector) => new Promise((resolve) => {
  const look = () => {
    const found = document.querySelector(selector);
    if (found?.checkVisibility({ visibilityProperty: true })) resolve(performance.now());
    else if (document.querySelector('#model pre')) resolve(null); // how to get a model
    else requestAnimationFrame(look);
  };
  look();
})"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path, help="artifacts that the pages can use")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    from playwright.sync_api import sync_playwright

    with serving(*options.folders, sources=False) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_headless_shell(), args=list(FLAGS))
        for path, control in PAGES.items():
            visits = (visit(browser, address + path, control) for _ in range(options.rounds))
            times = [taken for taken in visits if taken is not None]
            told = f"{median(times):6.0f} ms  ({min(times):.0f} to {max(times):.0f})" if times else "no model"
            print(f"{path:15}{told}", flush=True)


def visit(browser: "Browser", address: str, control: str) -> float | None:
    """Milliseconds from the start of the navigation; None where the site has no model for the page."""
    context = browser.new_context()
    try:
        page = context.new_page()
        session = context.new_cdp_session(page)
        session.send("Network.enable")
        session.send("Network.emulateNetworkConditions", FAST_4G)
        page.add_init_script(AS_WITH_A_GPU)
        page.goto(address, wait_until="commit")
        taken: float | None = page.evaluate(WATCH, control)
        return taken
    finally:
        context.close()


if __name__ == "__main__":
    main()
