"""Listens: a bound socket first, so that the printed address is true, then uvicorn."""

import asyncio
import errno
import socket
import sys
import threading

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from webapp.app import create_app
from webapp.errors import WebappError
from webapp.headers import SECURITY_HEADERS
from webapp.hosts import loopback
from webapp.settings import Settings

GRACE = 1  # seconds that answers under way get when the server is stopped; downloads can be resumed

_BAD_REQUEST = "".join(
    f"{line}\r\n"
    for line in (
        "HTTP/1.1 400 Bad Request",
        "Connection: close",
        "Content-Length: 0",
        *(f"{name}: {value}" for name, value in SECURITY_HEADERS.items()),
        "",
    )
)


def serve(settings: Settings) -> None:
    """Serves until Ctrl-C and prints the address on stdout. Raises WebappError if it cannot start."""
    app = create_app(settings)
    server = _server(app, settings)
    with listen(settings.host, settings.port) as listener:
        print(f"Thistledown is at {_address(listener, settings.host)} (Ctrl-C stops it)", flush=True)
        for note in _notes(settings):
            print(note, file=sys.stderr)
        threading.Thread(target=app.state.compress_ahead, daemon=True).start()
        try:
            server.run(sockets=[listener])
        except KeyboardInterrupt:
            print("Stopped.", file=sys.stderr)


def _notes(settings: Settings) -> list[str]:
    """What the person who started the server may not expect, a line each."""
    notes = []
    if not settings.folders:
        notes.append("No models: name artifact folders to serve them, for example build/models/minilm")
    if settings.runtime is None:
        notes.append("Pages need WebGPU: python3 -m scripts.provide_runtime brings what they need without it")
    if not loopback(settings.host):
        notes.append("Other devices need https in front: browsers give WebGPU only to https and to localhost")
    return notes


def prepare(settings: Settings) -> uvicorn.Server:
    """A server that waits for its socket. Raises WebappError if the folders cannot be served."""
    return _server(create_app(settings), settings)


def _server(app: Starlette, settings: Settings) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        http=Protocol,
        ws="none",
        lifespan="off",
        log_level="info" if settings.verbose else "warning",
        access_log=settings.verbose,
        server_header=False,
        timeout_graceful_shutdown=2 * GRACE,
    )
    return uvicorn.Server(config)


class Protocol(H11Protocol):
    """HTTP/1.1, with the security headers also where the request is too broken for the application."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Head and body are two writes: without TCP_NODELAY the second waits 40 ms for the visitor's ACK.

        asyncio sets it only on sockets that were made with an explicit protocol number.
        """
        connection: socket.socket = transport.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().connection_made(transport)

    def send_400_response(self, msg: str) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self.transport.write(_BAD_REQUEST.encode("ascii"))
        self.transport.close()

    def shutdown(self) -> None:
        """Breaks a long download off itself: uvicorn would cancel it, and log that as a failure."""
        super().shutdown()
        self.loop.call_later(GRACE, self.transport.abort)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises WebappError that says what to do."""
    bare = host.strip("[]")
    family = socket.AF_INET6 if ":" in bare else socket.AF_INET
    try:
        return socket.create_server((bare, port), family=family)
    except (OSError, UnicodeError) as error:
        raise WebappError(f"Cannot listen: {error}", f"{host}, port {port}", _remedy(error)) from error


def _remedy(error: Exception) -> str:
    code = error.errno if isinstance(error, OSError) else None
    if code == errno.EADDRINUSE:
        return "Stop the program that has the port, or choose another: --port 0 takes a free one."
    if code == errno.EACCES:
        return "Choose a port from 1024 on."
    return "Choose an address of this machine, such as --host 127.0.0.1."


def _address(listener: socket.socket, host: str) -> str:
    name = host.strip("[]")
    return f"http://{f'[{name}]' if ':' in name else name}:{listener.getsockname()[1]}/"
