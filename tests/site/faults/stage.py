"""What a case in Chromium plays on: a server and an origin of its own, pages, and the judgement afterwards."""

import asyncio
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.site.faults.server import FaultServer
from tests.site.faults.small_model import SmallModel

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, Page

CALL = """async ([name, ...args]) => (await import('/faults/real_page.js'))[name](...args)"""
# Two chunks of a small model, so that there are many requests.
RUN_BYTES = 256
# Of a visit that meets a fault, and of one that must be sound on however busy a machine.
FAULTY = {"stallMs": 400, "backoffMs": 5, "runBytes": RUN_BYTES}
SOUND = {"stallMs": 60_000, "backoffMs": 5, "runBytes": RUN_BYTES}
# Longer than anything that a case waits for.
PATIENCE = 120


Play = Callable[["Stage"], Awaitable[None]]


@dataclass(frozen=True)
class Case:
    scenario: str
    fault: str
    name: str
    play: Play


@dataclass
class Stage:
    context: "BrowserContext"
    server: FaultServer
    pages: list["Page"] = field(default_factory=list)
    codes: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    measured: dict[str, float] = field(default_factory=dict)

    async def page(self) -> "Page":
        """The first page; a new one where there is none, or none that lives."""
        return self.pages[0] if self.pages else await self.add_page()

    async def add_page(self) -> "Page":
        page = await self.context.new_page()
        page.on("pageerror", lambda error: self.wrong.append(f"uncaught {error}"))
        page.on("crash", self._drop)
        page.on("close", self._drop)
        self.pages.append(page)
        await page.goto(self.server.origin)
        return page

    def _drop(self, page: "Page") -> None:
        if page in self.pages:
            self.pages.remove(page)

    async def call(self, name: str, *args: object, page: "Page | None" = None) -> Any:
        on = page or await self.page()
        return await asyncio.wait_for(on.evaluate(CALL, [name, *args]), PATIENCE)

    def serve(self, *models: SmallModel) -> None:
        for model in models:
            self.server.files |= model.contents

    def order(self, model: SmallModel, waits: dict[str, int], shown: bool = False) -> dict[str, Any]:
        return {"base": self.server.base, "model": model.order(), "waits": waits, "shown": shown}

    async def visit(
        self,
        model: SmallModel,
        *,
        page: "Page | None" = None,
        waits: dict[str, int] = FAULTY,
        shown: bool = False,
    ) -> dict[str, Any]:
        """How a visit ended; what must never be is noted."""
        report: dict[str, Any] = await self.call("start", self.order(model, waits, shown), page=page)
        self.codes[report["code"]] += 1
        self.wrong += report["wrong"]
        if report["store"] != "opfs":
            self.wrong.append(f"kept in {report['store']}")
        return report

    async def sound(self, model: SmallModel, *, page: "Page | None" = None) -> dict[str, Any]:
        """A visit that nothing may befall."""
        report = await self.visit(model, page=page, waits=SOUND)
        self.expect(report["code"] == "none", f"a visit without faults ended with {report['code']}")
        return report

    def expect(self, holds: bool, otherwise: str) -> None:
        if not holds:
            self.wrong.append(otherwise)

    async def killed(self, task: "asyncio.Task[Any]") -> None:
        """Waits until nothing more comes of a visit whose page or worker has ended."""
        task.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await task

    async def check_record(self, versions: Sequence[SmallModel]) -> None:
        """The version that a visit without a network would use is whole."""
        manifest = await self.call("manifestOf", self.server.base)
        if manifest is None:
            return
        version = next(model for model in versions if model.version == manifest["version"])
        missing = version.total - await self.call("keptBytes", list(version.files))
        self.expect(
            missing == 0, f"version {version.version} is on record as whole, and lacks {missing} bytes"
        )

    async def heal(self, model: SmallModel) -> None:
        """The next visit fetches what is missing and nothing else; the one after it fetches nothing."""
        self.server.bend = lambda asked, answer: None
        self.server.go_on()
        missing = model.total - await self.call("keptBytes", list(model.files))
        missing -= await self.call("begunBytes", list(model.files))
        sent = self.server.sent
        await self.sound(model)
        fetched = self.server.sent - sent
        self.expect(fetched == missing, f"{fetched} bytes were sent where {missing} were missing")
        sent = self.server.sent
        await self.sound(model)
        self.expect(self.server.sent == sent, f"{self.server.sent - sent} bytes were sent again")
        names = {path.split("/")[1][:64] for path in await self.call("entries") if path.startswith("files/")}
        own = {file["sha256"] for file in model.files}
        self.expect(names == own, f"{len(names - own)} files of nobody stay, {len(own - names)} lack")
        await self.check_record([model])


async def play(case: Case, context: "BrowserContext") -> Stage:
    """A case on a stage of its own, cleared afterwards."""
    server = FaultServer()
    await server.open()
    stage = Stage(context, server)
    try:
        await asyncio.wait_for(case.play(stage), 2 * PATIENCE)
    except Exception as cause:
        stage.wrong.append(f"{type(cause).__name__} in {_place(cause)}: {cause}")
    finally:
        server.go_on()
        with suppress(Exception):
            await context.set_offline(False)
            for page in list(stage.pages):
                await page.close()
        await server.close()
    return stage


def _place(cause: BaseException) -> str:
    """The lines of the fault run that it came through."""
    frames = traceback.extract_tb(cause.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).parent == Path(__file__).parent]
    return " > ".join(f"{Path(frame.filename).stem}:{frame.lineno}" for frame in own)
