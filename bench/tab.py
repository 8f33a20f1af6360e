"""One tab of a headless Chromium in which all engines live."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bench.chromium import find_chromium
from bench.errors import BenchError

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PATIENCE_MS = 3_600_000
FLAGS = (
    "--enable-unsafe-webgpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    *(("--no-sandbox",) if os.geteuid() == 0 else ()),
)
PAGE = "/bench-peers/page/index.html"
HARNESS = "harness.js"
CALL = """async ([file, name, args]) => {
  const found = await import(`/bench-peers/page/${file}`);
  return found[name](...args);
}"""


class Tab:
    """Calls functions of page/."""

    def __init__(self, page: "Page") -> None:
        self._page = page

    def call(self, name: str, *args: object) -> Any:
        """The value that the function of page/harness.js gives. Raises BenchError with what it threw."""
        return self.call_of(HARNESS, name, *args)

    def call_of(self, module: str, name: str, *args: object) -> Any:
        """The same of another module of page/."""
        from playwright.sync_api import Error

        try:
            return self._page.evaluate(CALL, [module, name, list(args)])
        except Error as error:
            first = error.message.splitlines()[0]
            raise BenchError(
                "The browser failed", first, "Measure fewer peers or a smaller model."
            ) from error


@contextmanager
def open_tab(address: str, arguments: Sequence[str]) -> Iterator[Tab]:
    """A tab on the harness; `arguments` are Chromium's, beside those that WebGPU needs."""
    with launched([*FLAGS, *arguments]) as browser:
        page = browser.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(address + PAGE)
        yield Tab(page)


@contextmanager
def launched(arguments: Sequence[str]) -> "Iterator[Browser]":
    """A headless Chromium with those `arguments`. Raises BenchError where there is none, or nothing to drive it."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        remedy = "Install it: pip install playwright"
        raise BenchError("Playwright, which drives the browser, is missing", "bench", remedy) from error
    program = find_chromium()
    if program is None:
        raise BenchError("No Chromium was found", "bench", "Install one, or set CHROMIUM to its path.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(arguments))
        try:
            yield browser
        finally:
            browser.close()
