"""Visits of a model's page: the first one, and one that comes back."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bench.download.line import Line, Pace, Passed
from bench.download.wire import Wire
from bench.errors import BenchError
from bench.server import running
from bench.tab import FLAGS, launched
from webapp import Settings, WebappError, create_app

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

# A device on every machine. It would take seconds to compile zeroed workgroup memory, which our kernels do not need.
SOFTWARE = ("--use-webgpu-adapter=swiftshader", "--enable-dawn-features=disable_workgroup_init")
_PATIENCE_MS = 600_000
# What a page fetches behind a model that is ready: a second without a request, and it is done.
_QUIET_MS = 1000
_PLAN = re.compile(r"/plan\.(\w+)\.json")
# The protocol tells nothing of the script that a worker starts with; its page's own clock does.
_TIMED = """() => performance.getEntriesByType('resource')
  .filter(({ transferSize, encodedBodySize }) => transferSize > 0 && transferSize >= encodedBodySize)
  .map(({ name, encodedBodySize }) => [name, encodedBodySize])"""


@dataclass(frozen=True)
class Visit:
    """`bodies` are bytes that travelled, by path; `seconds` from the page's address to a model that is ready."""

    bodies: Mapping[str, int]
    seconds: float


@dataclass(frozen=True)
class Measured:
    """The visits of a browser whose cache was empty at first, and the tier that its device plays.

    `slow` is another first visit, on a slow line.
    """

    tier: str
    first: Visit
    repeat: Visit
    slow: Passed | None


def measure_visits(
    folder: Path, page: str, arguments: tuple[str, ...] = (), pace: Pace | None = None
) -> Measured:
    """Loads the artifact in `folder` on `page`, twice, and once more at a `pace`.

    Raises BenchError where that cannot be done.
    """
    path = f"/{page}?model=models/{folder.name}/"
    with _site(folder) as (address, line), launched((*FLAGS, *arguments)) as browser:
        context = visitor(browser)
        first, repeat = (visit(context, address, path, _load) for _ in range(2))
        context.close()
        tier = next(found[1] for found in map(_PLAN.search, first.bodies) if found)
        weights = sum(size for name, size in first.bodies.items() if name.endswith(".bin"))
        slow = _timed(browser, address + path, line, pace, weights) if pace else None
        return Measured(tier, first, repeat, slow)


def visitor(browser: "Browser") -> "BrowserContext":
    """A browser with an empty cache, which takes our WebGPU for a graphics processor."""
    # What a service worker fetches when all is done is no part of a visit, and has no part in the page's session.
    context = browser.new_context(service_workers="block", locale="en-US")
    context.add_init_script("globalThis.thistledownBackend = 'webgpu'")
    return context


@contextmanager
def _site(folder: Path) -> Iterator[tuple[str, Line]]:
    try:
        line = Line(create_app(Settings(folders=(folder,))))
    except WebappError as error:
        raise BenchError(error.what, error.where, error.remedy) from error
    with running(line) as address:
        yield address, line


def _timed(browser: "Browser", address: str, line: Line, pace: Pace, weights: int) -> Passed:
    """Until all weights have come at `pace`; whether they compile afterwards is not waited for."""
    context = visitor(browser)
    try:
        line.begin(pace, weights)
        tab = context.new_page()
        _click(tab, address)
        while line.passed is None:
            if tab.locator(".problem").count():
                raise BenchError(f"The model was not loaded: {_seen(tab)}", address, "Try it by hand.")
            tab.wait_for_timeout(100)
        return line.passed
    finally:
        context.close()


def visit(context: "BrowserContext", address: str, path: str, load: "Callable[[Page, str], None]") -> Visit:
    """What travels while `load` opens the page and until it fetches nothing more."""
    tab = context.new_page()
    try:
        wire = Wire(context.new_cdp_session(tab))
        began = perf_counter()
        load(tab, address + path)
        seconds = perf_counter() - began
        tab.wait_for_load_state("networkidle")
        tab.wait_for_timeout(_QUIET_MS)
        found = {**dict(tab.evaluate(_TIMED)), **wire.bodies}
    finally:
        tab.close()
    bodies = {urlsplit(url).path: size for url, size in found.items() if url.startswith(address)}
    foreign = sorted(url for url in wire.bodies if url and not url.startswith((address, "blob:", "data:")))
    if foreign:
        raise BenchError("The page asked another site", foreign[0], "Report this: nothing may leave the tab.")
    return Visit(bodies, seconds)


def _load(tab: "Page", address: str) -> None:
    from playwright.sync_api import Error

    _click(tab, address)
    try:
        tab.locator(".loaded").wait_for(timeout=_PATIENCE_MS)
    except Error as error:
        raise BenchError(f"The model was not loaded: {_seen(tab)}", address, "Try it by hand.") from error


def _click(tab: "Page", address: str) -> None:
    from playwright.sync_api import Error

    try:
        tab.goto(address)
        tab.locator("button.load").click(timeout=_PATIENCE_MS)
    except Error as error:
        raise BenchError(f"There was no model to load: {_seen(tab)}", address, "Try it by hand.") from error


def _seen(tab: "Page") -> str:
    return f"the page says: {tab.locator('main').inner_text()[:500]}"
