"""Both halves of the fault run: the loop in memory, then pages with a real file system and a real socket."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.site.faults.findings import Findings
from tests.site.faults.lane import Lane
from tests.site.faults.memory import run_in_memory
from tests.site.faults.real import run_in_chromium

BROWSERS = 2


@asynccontextmanager
async def browsing(chromium: Path, count: int = BROWSERS) -> AsyncIterator[list[Lane]]:
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        lanes = [
            Lane(chromium, playwright.chromium, TemporaryDirectory(ignore_cleanup_errors=True))
            for _ in range(count)
        ]
        yield lanes
        for lane in lanes:
            await lane.close()


async def timed(run: Callable[[], Awaitable[Findings]]) -> Findings:
    begun = time.monotonic()
    found = await run()
    found.seconds = time.monotonic() - begun
    return found


async def run_all(chromium: Path, *, short: bool, tell: Callable[[str], None]) -> dict[str, Findings]:
    async with browsing(chromium) as lanes:
        return {
            "in memory": await timed(lambda: run_in_memory(lanes[0], short=short, tell=tell)),
            "in Chromium": await timed(lambda: run_in_chromium(lanes, short=short, tell=tell)),
        }
