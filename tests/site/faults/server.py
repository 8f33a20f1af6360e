"""A server on a raw socket: the site, files from memory, and answers as broken as they are ordered."""

import asyncio
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

SITE = Path(__file__).parents[3] / "site"
FAULTS = Path(__file__).parent
TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".json": "application/json"}
PAGE = b"<!doctype html><title>faults</title><link rel=icon href=data:,>"
PORTAL = b"<!doctype html><title>Welcome to this hotel's network</title>"
# Sends a reset instead of what is still to come.
LINGER = struct.pack("ii", 1, 0)
_taken: set[int] = set()


@dataclass(frozen=True)
class Asked:
    """A request for one of the files in memory: bytes `start` to `end`, or all of it."""

    path: str
    number: int
    start: int
    end: int
    ranged: bool


@dataclass
class Answer:
    """What goes over the wire; a fault bends a right one."""

    status: int
    body: bytes
    headers: dict[str, str]
    # After so many bytes of the body the connection is reset, closed, or goes silent.
    reset_at: int | None = None
    close_at: int | None = None
    stall_at: int | None = None
    piece: int = 1 << 20
    pause: float = 0
    raw: bytes | None = None


Bend = Callable[[Asked, Answer], None]


@dataclass
class FaultServer:
    """Serves until it is closed; may be closed and opened again on the same port."""

    files: dict[str, bytes] = field(default_factory=dict)
    bend: Bend = lambda asked, answer: None
    seen: list[Asked] = field(default_factory=list)
    sent: int = 0
    # Once so many bytes of files were sent, the rest waits for `go_on`.
    hold_at: int | None = None
    held: asyncio.Event = field(default_factory=asyncio.Event)
    going: asyncio.Event = field(default_factory=asyncio.Event)
    port: int = 0
    listening: asyncio.Server | None = None
    writers: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def base(self) -> str:
        return f"{self.origin}/models/tiny/"

    async def open(self) -> None:
        self.listening = await asyncio.start_server(
            self._serve, "127.0.0.1", self.port or fresh_port(), reuse_address=True
        )
        self.port = self.listening.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Nobody listens any more, and what was under way is reset."""
        if self.listening:
            self.listening.close()
        self.listening = None
        self.cut()

    def cut(self) -> None:
        """What is under way is reset."""
        for writer in list(self.writers):
            _reset(writer)

    def hold(self, after: int) -> None:
        self.hold_at = self.sent + after
        self.held.clear()
        self.going.clear()

    def go_on(self) -> None:
        self.hold_at = None
        self.going.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.add(writer)
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            await self._send(writer, self._answer(head), counted=" /models/" in head)
        self.writers.discard(writer)
        writer.close()

    def _answer(self, head: str) -> Answer:
        path = head.split(" ")[1].partition("?")[0]
        if path in ("/", "/portal"):
            return _whole(PAGE if path == "/" else PORTAL, "text/html")
        if path.startswith("/models/"):
            return self._file(path, head)
        root, name = (FAULTS, path[8:]) if path.startswith("/faults/") else (SITE, path[1:])
        file = (root / name).resolve()
        if not file.is_relative_to(root) or not file.is_file():
            return Answer(404, b"", {})
        code = _whole(file.read_bytes(), TYPES.get(file.suffix, "application/octet-stream"))
        code.headers["Cache-Control"] = "max-age=600"
        return code

    def _file(self, path: str, head: str) -> Answer:
        content = self.files.get(path)
        if content is None:
            return Answer(404, b"", {})
        ranges = [line.split("=")[1] for line in head.lower().split("\r\n") if line.startswith("range:")]
        first, _, last = (ranges[0] if ranges else "0-").partition("-")
        start, end = int(first), min(len(content), int(last or len(content) - 1) + 1)
        asked = Asked(path, len(self.seen), start, end, bool(ranges))
        self.seen.append(asked)
        answer = _whole(content[start:end], TYPES.get(Path(path).suffix, "application/octet-stream"))
        if ranges:
            answer.status = 206
            answer.headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(content)}"
        self.bend(asked, answer)
        return answer

    async def _send(self, writer: asyncio.StreamWriter, answer: Answer, counted: bool) -> None:
        if answer.raw is not None:
            writer.write(answer.raw)
            return
        fields = {"Cache-Control": "no-store", **answer.headers, "Connection": "close"}
        lines = [f"HTTP/1.1 {answer.status} Said", *(f"{name}: {value}" for name, value in fields.items())]
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        stops = [at for at in (answer.reset_at, answer.close_at, answer.stall_at) if at is not None]
        body = answer.body[: min(stops, default=None)]
        for at in range(0, len(body), answer.piece):
            piece = body[at : at + answer.piece]
            if counted:
                await self._turn(len(piece))
                self.sent += len(piece)
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(answer.pause)
        if answer.stall_at is not None:
            await asyncio.sleep(30)
        if answer.reset_at is not None:
            # What was sent before must not be overtaken.
            await asyncio.sleep(0.02)
            _reset(writer)

    async def _turn(self, bytes_to_send: int) -> None:
        if self.hold_at is None or self.sent + bytes_to_send <= self.hold_at:
            return
        self.held.set()
        await self.going.wait()


def fresh_port() -> int:
    """A port that no earlier server of this process had: a browser keeps files by origin, and the operating system
    gives a port again after a few hundred."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port: int = probe.getsockname()[1]
        if port not in _taken:
            _taken.add(port)
            return port


def _whole(body: bytes, media: str) -> Answer:
    return Answer(200, body, {"Content-Type": media, "Content-Length": str(len(body))})


def _reset(writer: asyncio.StreamWriter) -> None:
    connection = writer.get_extra_info("socket")
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER)
    writer.transport.abort()
