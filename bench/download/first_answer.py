"""How long a model that is ready takes to show its first result: a page is asked as a visitor asks it."""

from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

# A model of random weights may show nothing.
_PATIENCE_MS = 120_000
_MESSAGE = (
    "Could we meet on Friday at ten, at 4 Garden Street? Bring the invoice for the two chairs, please. Ann"
)
_ADAPTER = """async () => {
  const info = (await navigator.gpu?.requestAdapter())?.info;
  return [info?.vendor, info?.architecture].filter(Boolean).join(' ');
}"""


@dataclass(frozen=True)
class _Asked:
    """Where the text goes, what is pressed then, if anything, and what shows that a result begins."""

    field: str
    button: str
    shown: str


_PAGES: Mapping[str, _Asked] = {
    "search.html": _Asked("#query", "", "#results li"),
    "classify.html": _Asked("#text", "", "#ranked li, #marked mark, #found dt"),
    "generate.html": _Asked("#prompt", "#go", "#answer:not(:empty)"),
    "extract.html": _Asked("#message", "#go", "#found > :not(.awaited)"),
}


def answer_seconds(tab: "Page", page: str) -> float | None:
    """Seconds from a question to the first of its result; None where none was shown in two minutes."""
    from playwright.sync_api import TimeoutError as Late

    asked = _PAGES[page]
    began = perf_counter()
    tab.locator(asked.field).fill(_MESSAGE)
    if asked.button:
        tab.locator(asked.button).click()
    try:
        tab.locator(asked.shown).first.wait_for(timeout=_PATIENCE_MS)
    except Late:
        return None
    return perf_counter() - began


def adapter_of(tab: "Page") -> str:
    """Who made the GPU of the browser, and which kind it is."""
    named: str = tab.evaluate(_ADAPTER)
    return named or "unnamed"
