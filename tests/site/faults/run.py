"""Both halves of the fault run: the loop in memory, then pages with a real file system and a real socket."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tests.site.faults.findings import Findings
from tests.site.faults.memory import run_in_memory
from tests.site.faults.real import run_in_chromium

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext

BROWSERS = 2
FLAGS = (
    "--enable-unsafe-webgpu",
    "--use-webgpu-adapter=swiftshader",
    "--enable-dawn-features=disable_workgroup_init",
    "--no-sandbox",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@asynccontextmanager
async def browsing(chromium: Path, count: int = 1) -> "AsyncIterator[list[BrowserContext]]":
    """Chromiums with a profile on the disk each: an incognito window's file system would be memory."""
    from playwright.async_api import async_playwright

    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        async with async_playwright() as playwright:
            launch = playwright.chromium.launch_persistent_context
            contexts = [
                await launch(f"{folder}/{number}", executable_path=chromium, args=list(FLAGS))
                for number in range(count)
            ]
            yield contexts
            for context in contexts:
                await context.close()


async def timed(run: Callable[[], Awaitable[Findings]]) -> Findings:
    begun = time.monotonic()
    found = await run()
    found.seconds = time.monotonic() - begun
    return found


async def run_all(chromium: Path, *, short: bool, tell: Callable[[str], None]) -> dict[str, Findings]:
    async with browsing(chromium, BROWSERS) as contexts:
        return {
            "in memory": await timed(lambda: run_in_memory(contexts[0], short=short, tell=tell)),
            "in Chromium": await timed(lambda: run_in_chromium(contexts, short=short, tell=tell)),
        }
