"""Visits of a model's page: the first one, and one that comes back."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bench.download.first_answer import adapter_of, answer_seconds
from bench.download.line import Line, Pace, Passed
from bench.download.wire import Wire
from bench.errors import BenchError
from bench.server import running
from bench.tab import FLAGS, launched
from webapp import Settings, WebappError, create_app

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

# A device that every machine has.
SOFTWARE = ("--use-webgpu-adapter=swiftshader",)
_PATIENCE_MS = 600_000
# What a page fetches behind a model that is ready: a second without a request, and it is done.
_QUIET_MS = 1000
_PLAN = re.compile(r"/plan\.(\w+)\.json")
# In the address of the engine's workers; a thread of onnxruntime waits in a way that lets it answer nothing.
_OUR_WORKERS = "/engine/"
# The protocol tells nothing of the script that a worker starts with, or only of its head, and at times nothing of what
# the worker asks for before it is watched; the clocks of the page and of its workers do.
# Resource Timing counts 300 bytes for a head, which are all that a 304 has.
_TIMED = """() => performance.getEntriesByType('resource')
  .filter(({ transferSize, encodedBodySize }) => transferSize >= 300 + encodedBodySize)
  .map(({ name, encodedBodySize }) => [name, encodedBodySize])"""


@dataclass(frozen=True)
class Visit:
    """`bodies` are bytes that travelled, by path; `seconds` from the page's address to a model that is ready."""

    bodies: Mapping[str, int]
    seconds: float


@dataclass(frozen=True)
class Measured:
    """The visits of a browser whose cache was empty at first, and the tier that its device plays, None on the CPU.

    `slow` is how long the weights took at the first visit, where it was on a slow line; `answer` how long a ready model
    took to show the first of a result, None where it showed none, on the GPU `device`, "" on the CPU.
    """

    tier: str | None
    first: Visit
    repeat: Visit
    slow: Passed | None
    answer: float | None = None
    device: str = ""


def measure_visits(
    folder: Path,
    page: str,
    arguments: tuple[str, ...] = (),
    pace: Pace | None = None,
    runtime: Path | None = None,
) -> Measured:
    """Loads the artifact in `folder` on `page`, twice; the first time at `pace`; with `runtime` on the CPU, by that.

    Raises BenchError where that cannot be done.
    """
    path = f"/{page}?model=models/{folder.name}/"
    backend = "wasm" if runtime else "webgpu"
    with _site(folder, pace, runtime) as (address, line), launched((*FLAGS, *arguments)) as browser:
        # What a service worker fetches when all is done is no part of a visit, and has no part in the page's session.
        context = browser.new_context(service_workers="block", locale="en-US")
        context.add_init_script(f"globalThis.thistledownBackend = '{backend}'")
        first = visit(context, address, path, _load)
        line.speed_up()
        found = _Answer(page)
        repeat = visit(context, address, path, _load, found.measure)
        tier, device = (None, "") if runtime else (_tier(first, address), found.device)
        return Measured(tier, first, repeat, line.passed, found.seconds, device)


class _Answer:
    """The first result on `page`."""

    def __init__(self, page: str) -> None:
        self._page = page
        self.seconds: float | None = None
        self.device = ""

    def measure(self, tab: "Page") -> None:
        self.device = adapter_of(tab)
        self.seconds = answer_seconds(tab, self._page)


def _tier(visit: Visit, address: str) -> str:
    tier = next((found[1] for found in map(_PLAN.search, visit.bodies) if found), None)
    if tier is None:
        raise BenchError("The browser did not tell which plan it fetched", address, "Measure again.")
    return tier


@contextmanager
def _site(folder: Path, pace: Pace | None, runtime: Path | None) -> Iterator[tuple[str, Line]]:
    try:
        line = Line(create_app(Settings(folders=(folder,), runtime=runtime)), pace)
    except WebappError as error:
        raise BenchError(error.what, error.where, error.remedy) from error
    with running(line) as address:
        yield address, line


def visit(
    context: "BrowserContext",
    address: str,
    path: str,
    load: "Callable[[Page, str], None]",
    use: "Callable[[Page], None] | None" = None,
) -> Visit:
    """What travels while `load` opens the page and until it fetches nothing more; `use` it is put to then."""
    tab = context.new_page()
    try:
        wire = Wire(context.new_cdp_session(tab))
        began = perf_counter()
        load(tab, address + path)
        seconds = perf_counter() - began
        tab.wait_for_load_state("networkidle")
        tab.wait_for_timeout(_QUIET_MS)
        ours = [worker for worker in tab.workers if _OUR_WORKERS in worker.url]
        timed = [tab.evaluate(_TIMED), *(worker.evaluate(_TIMED) for worker in ours)]
        found = dict(entry for clock in timed for entry in clock) | {
            url: size for url, size in wire.bodies.items() if size
        }
        if use:
            use(tab)
    finally:
        tab.close()
    bodies = {urlsplit(url).path: size for url, size in found.items() if url.startswith(address)}
    foreign = sorted(url for url in wire.bodies if url and not url.startswith((address, "blob:", "data:")))
    if foreign:
        raise BenchError("The page asked another site", foreign[0], "Report this: nothing may leave the tab.")
    return Visit(bodies, seconds)


def _load(tab: "Page", address: str) -> None:
    from playwright.sync_api import Error

    try:
        tab.goto(address)
        tab.locator("button.load").click(timeout=_PATIENCE_MS)
        tab.locator(".loaded").wait_for(timeout=_PATIENCE_MS)
    except Error as error:
        seen = tab.locator("main").inner_text()[:500]
        raise BenchError(
            f"The model was not loaded; the page says: {seen}", address, "Try it by hand."
        ) from error
