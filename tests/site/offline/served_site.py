"""A copy of the site behind the project's own server, which notes what it sends and can change, hold back and stop."""

import shutil
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from exporter.report.site_files import served
from webapp import Settings
from webapp.server import listen, prepare
from webapp.settings import default_site


@dataclass(frozen=True)
class Sent:
    """One answer: `bytes` of its body."""

    path: str
    status: int
    bytes: int


@dataclass
class ServedSite:
    """The site in `folder`, which is made, with the models in `models`, at one address for all its starts.

    Of the files that are asked for from now on, those behind the first `hold_after` wait to be released.
    """

    folder: Path
    models: Sequence[Path] = ()
    sent: list[Sent] = field(default_factory=list)
    hold_after: int | None = None

    def __post_init__(self) -> None:
        shutil.copytree(default_site(), self.folder)
        self._port = 0
        self._server: uvicorn.Server
        self.released = threading.Event()

    @property
    def address(self) -> str:
        return f"http://localhost:{self._port}"

    def start(self) -> None:
        self._server = prepare(Settings(folders=tuple(self.models), site=self.folder))
        self._server.config.app = _Noted(self._server.config.app, self)  # type: ignore[arg-type]
        self._listener = listen("127.0.0.1", self._port)
        self._port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._listener]})
        self._thread.start()
        while not self._server.started:
            time.sleep(0.005)

    def stop(self) -> None:
        self.release()
        self._server.should_exit = True
        self._thread.join()
        self._listener.close()

    def release(self) -> None:
        """Sends what was held back."""
        self.hold_after = None
        self.released.set()

    def bodies(self) -> list[Sent]:
        """Answers that had one."""
        return [sent for sent in self.sent if sent.bytes > 0]

    def edit(self, name: str, addition: str) -> None:
        """Adds a line to a file of the site, as it is served."""
        path = served(self.folder, name)
        path.write_text(path.read_text("utf-8") + addition + "\n", "utf-8")


class _Noted:
    """ASGI middleware that fills `site.sent`."""

    def __init__(self, app: ASGIApp, site: ServedSite) -> None:
        self.app = app
        self.site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        status, size = 0, 0

        async def note(message: Message) -> None:
            nonlocal status, size
            status = message.get("status", status)
            size += len(message.get("body", b""))
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                self._add(scope, status, size)  # before the browser has it all, and a test goes on
            await send(message)

        if self.site.hold_after is not None:
            self.site.hold_after -= 1
            if self.site.hold_after < 0:
                await run_in_threadpool(self.site.released.wait, 30)
        await self.app(scope, receive, note)

    def _add(self, scope: Scope, status: int, size: int) -> None:
        travelled = (
            0 if scope["method"] == "HEAD" else size
        )  # uvicorn keeps the body of an answer to HEAD back
        self.site.sent.append(Sent(scope["path"], status, travelled))
