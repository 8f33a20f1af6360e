"""The web app as visitors get it, and beside it, under /bench-peers/, what only a measurement needs."""

import json
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bench.errors import BenchError
from webapp import Settings, WebappError, create_app

PAGE = Path(__file__).parent / "page"
PATIENCE = 20.0

# Threads of WebAssembly need isolation; the site's own policy, which forbids WebAssembly, stays the site's.
_ISOLATION = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True)
class Served:
    """Where the server is, and the paths that it was asked for, in order."""

    address: str
    paths: list[str]


@contextmanager
def serving(folder: Path, made: Path, modules: Path) -> Iterator[Served]:
    """A server of the artifact `folder`, of files `made` for the peers, and of their npm `modules`."""
    paths: list[str] = []
    try:
        application = _noting(_application(folder, made, modules), paths)
    except WebappError as error:
        raise BenchError(error.what, error.where, error.remedy) from error
    with running(application) as address:
        yield Served(address, paths)


@contextmanager
def running(application: ASGIApp) -> Iterator[str]:
    """The address of `application`, served on this machine for as long as the context lasts."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(application, ws="none", lifespan="off", log_level="warning", access_log=False)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            _wait(server)
            yield f"http://localhost:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(PATIENCE)


def _wait(server: uvicorn.Server) -> None:
    deadline = time.monotonic() + PATIENCE
    while not server.started:
        if time.monotonic() > deadline:
            raise BenchError("The server of the bench did not start", "localhost", "Run it again.")
        time.sleep(0.02)


def _application(folder: Path, made: Path, modules: Path) -> ASGIApp:
    return Starlette(
        routes=[
            Route(f"/models/{folder.name}/manifest.json", _endless(folder)),
            Mount("/bench-peers/page", _isolated(StaticFiles(directory=PAGE))),
            Mount("/bench-peers/made", _isolated(StaticFiles(directory=made))),
            Mount("/bench-peers/npm", _isolated(StaticFiles(directory=modules, check_dir=False))),
            Mount("/", create_app(Settings(folders=(folder,)))),
        ]
    )


def _endless(folder: Path) -> Callable[[Request], Awaitable[JSONResponse]]:
    """The manifest without ids that end an answer: every engine makes as many tokens as it is asked for."""

    async def answer(_request: Request) -> JSONResponse:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        if manifest["generation"]:
            manifest["generation"]["stop_ids"] = []
        return JSONResponse(manifest, headers=_ISOLATION)

    return answer


def _isolated(application: ASGIApp) -> ASGIApp:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_ISOLATION)
            await send(message)

        await application(scope, receive, send_with_headers)

    return answer


def _noting(application: ASGIApp, paths: list[str]) -> ASGIApp:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        paths.append(scope["path"])
        await application(scope, receive, send)

    return answer
