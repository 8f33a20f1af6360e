"""A Chromium with a profile on the disk: an incognito window's file system would be memory."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, BrowserType

Result = TypeVar("Result")

TRIES = 4
GONE = "has been closed"
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


@dataclass
class Lane:
    """Plays one case after the other; where the browser has gone, the machine's want of memory say, in a new one."""

    chromium: Path
    browsers: "BrowserType"
    folder: TemporaryDirectory[str]
    open: "BrowserContext | None" = None

    async def context(self) -> "BrowserContext":
        if self.open is None:
            self.open = await self.surely(self._launch)
            self.open.on("close", lambda _: setattr(self, "open", None))
        return self.open

    async def _launch(self) -> "BrowserContext":
        return await self.browsers.launch_persistent_context(
            self.folder.name, executable_path=self.chromium, args=list(FLAGS)
        )

    async def surely(self, work: Callable[[], Awaitable[Result]]) -> Result:
        """Again where the browser has gone under it; a page that ends every browser is an error."""
        from playwright.async_api import Error

        for _ in range(TRIES - 1):
            try:
                return await work()
            except Error as cause:
                if GONE not in str(cause):
                    raise
                await asyncio.sleep(1)
        return await work()

    async def close(self) -> None:
        if self.open is not None:
            await self.open.close()
        self.folder.cleanup()
