"""A Chromium with a profile on the disk: an incognito window's file system would be memory."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, BrowserType

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
            self.open = await self.browsers.launch_persistent_context(
                self.folder.name, executable_path=self.chromium, args=list(FLAGS)
            )
            self.open.on("close", lambda _: setattr(self, "open", None))
        return self.open

    async def close(self) -> None:
        if self.open is not None:
            await self.open.close()
        self.folder.cleanup()
