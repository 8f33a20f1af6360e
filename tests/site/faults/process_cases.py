"""Cases of a page that ends in the middle, and of several pages at once."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from tests.site.faults.network_cases import held_visit
from tests.site.faults.small_model import SmallModel, small_model
from tests.site.faults.stage import PATIENCE, SOUND, Case, Play, Stage

if TYPE_CHECKING:
    from playwright.async_api import Page

End = Callable[["Page"], Awaitable[object]]


async def _crash(page: "Page") -> None:
    from playwright.async_api import Error

    with suppress(Error):
        await page.goto("chrome://crash")
    await page.close()


ENDS: dict[str, End] = {
    "renderer crash": _crash,
    "tab closed": lambda page: page.close(),
    "reload": lambda page: page.reload(),
    "worker terminated": lambda page: page.evaluate("visit.terminate()"),
    "tab navigates away": lambda page: page.goto("about:blank"),
}


def process_cases() -> Iterator[Case]:
    model = small_model()
    for fault, end in ENDS.items():
        for after in range(0, model.total, model.total // 8):
            yield Case("process", fault, f"after {after}", _ended(model, after, end))
    for count in range(2, 9):
        yield Case("tabs", "several tabs, cold", f"{count} tabs", _together(model, count))
    for fault, end in ENDS.items():
        for count, after in [(2, 0), (3, 2000), (8, 7000)]:
            yield Case(
                "tabs",
                f"leader: {fault}",
                f"{count} tabs, after {after}",
                _leaderless(model, count, after, end),
            )
    new = small_model(version=2)
    for fault in ("worker terminated", "renderer crash", "reload"):
        for after in range(0, 5000, 5000 // (15 if fault == "worker terminated" else 5)):
            yield Case("update", fault, f"after {after}", _updated(model, new, after, ENDS[fault]))
    for after in (0, 2000, 4000):
        yield Case(
            "update", "another tab has the other version", f"after {after}", _two_versions(model, new, after)
        )
    yield Case("tabs", "a second tab waits", "and shows progress", _watched(model))


def _ended(model: SmallModel, after: int, end: End) -> Play:
    async def run(stage: Stage) -> None:
        task = await held_visit(stage, model, after)
        await end(stage.pages[0])
        await stage.killed(task)
        await back(stage)
        await stage.heal(model)

    return run


async def back(stage: Stage) -> None:
    """The visitor comes again, or is there still."""
    page = await stage.page()
    if not page.url.startswith(stage.server.origin):
        await page.goto(stage.server.origin)


def _together(model: SmallModel, count: int) -> Play:
    async def run(stage: Stage) -> None:
        stage.serve(model)
        pages = [await stage.add_page() for _ in range(count)]
        await asyncio.gather(*(stage.sound(model, page=page) for page in pages))
        stage.measured["sent over size"] = stage.server.sent / model.total
        stage.expect(
            stage.server.sent == model.total, f"{count} tabs fetched {stage.server.sent} of {model.total}"
        )
        await stage.heal(model)

    return run


def _leaderless(model: SmallModel, count: int, after: int, end: End) -> Play:
    """The tab that fetches ends; the others go on where it was."""

    async def run(stage: Stage) -> None:
        task = await held_visit(stage, model, after)
        leader = stage.pages[0]
        others = [await stage.add_page() for _ in range(count - 1)]
        waiting = [asyncio.create_task(stage.sound(model, page=page)) for page in others]
        await asyncio.sleep(0.1)
        await end(leader)
        await stage.killed(task)
        stage.server.go_on()
        await asyncio.gather(*waiting)
        await back(stage)
        await stage.heal(model)

    return run


def _updated(old: SmallModel, new: SmallModel, after: int, end: End) -> Play:
    """Killed on the way from one version to the next: one of them is whole, and then the old one goes."""

    async def run(stage: Stage) -> None:
        stage.serve(old)
        await stage.sound(old)
        task = await held_visit(stage, new, after)
        await end(stage.pages[0])
        await stage.killed(task)
        await back(stage)
        await stage.check_record([old, new])
        await stage.heal(new)

    return run


def _two_versions(old: SmallModel, new: SmallModel, after: int) -> Play:
    """A tab with the old version is overtaken by one with the new."""

    async def run(stage: Stage) -> None:
        stage.serve(old, new)
        task = await held_visit(stage, old, after)
        page = await stage.add_page()
        late = asyncio.create_task(stage.sound(new, page=page))
        await asyncio.sleep(0.2)
        stage.server.go_on()
        await asyncio.gather(task, late)
        await stage.check_record([old, new])
        kept = await stage.call("keptBytes", list(new.files))
        stage.expect(kept == new.total, f"the later version gave way: {kept} of {new.total} bytes are kept")
        await stage.heal(new)

    return run


def _watched(model: SmallModel) -> Play:
    """While one tab is held up in the middle, the other shows how far it is, and not less afterwards."""

    async def run(stage: Stage) -> None:
        task = await held_visit(stage, model, 6000)
        page = await stage.add_page()
        watching = asyncio.create_task(stage.visit(model, page=page, waits=SOUND, shown=True))
        await page.wait_for_function("globalThis.shown > 4000", timeout=PATIENCE * 1000)
        stage.server.go_on()
        await asyncio.gather(task, watching)
        stage.expect(
            await page.evaluate("shown") == model.total, "the waiting tab does not end with all bytes"
        )
        await stage.heal(model)

    return run
