"""A small HTTP server for the engine's tests: the site, artifacts from memory, and faults on order."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal

SITE = Path(__file__).parents[2] / "site"
TYPES = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".json": "application/json",
}
BLANK = b"<!doctype html><title>engine</title><link rel=icon href=data:,>"

FaultKind = Literal[
    "truncated",
    "one byte",
    "cut",
    "corrupted",
    "html",
    "missing",
    "denied",
    "broken",
    "stalled",
    "no end",
    "too long",
    "no range",
]


@dataclass
class Fault:
    """What happens to requests for paths that end in `suffix`, `times` times (-1: always)."""

    suffix: str
    kind: FaultKind
    times: int = -1


@dataclass(frozen=True)
class Seen:
    """One request for an artifact's file."""

    path: str
    start: int


@dataclass
class EngineServer:
    """What a running server serves: bytes by path, with faults and content security policies on order.

    `seen` lists the requests for artifacts.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    policies: dict[str, str] = field(default_factory=dict)
    released: threading.Event = field(default_factory=threading.Event)
    origin: str = ""

    def add(self, name: str, files: Mapping[str, bytes]) -> str:
        """Serve an artifact; returns the address of its folder."""
        self.files.update({f"/models/{name}/{file}": content for file, content in files.items()})
        return f"{self.origin}/models/{name}/"

    def weights_seen(self) -> list[Seen]:
        return [seen for seen in self.seen if seen.path.endswith(".bin")]

    def fault_for(self, path: str) -> FaultKind | None:
        for fault in self.faults:
            if path.endswith(fault.suffix) and fault.times != 0:
                fault.times -= 1
                return fault.kind
        return None


class _Handler(BaseHTTPRequestHandler):
    server: "_Server"

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path.startswith("/models/"):
            self._artifact(path)
        elif path == "/":
            self._send(200, BLANK, "text/html")
        else:
            self._site(path)

    def _site(self, path: str) -> None:
        file = (SITE / path.lstrip("/")).resolve()
        if not file.is_relative_to(SITE) or not file.is_file():
            return self._send(404, b"", "text/plain")
        self._send(200, file.read_bytes(), TYPES.get(file.suffix, "application/octet-stream"))

    def _artifact(self, path: str) -> None:
        plan = self.server.plan
        wanted = self.headers.get("Range")
        first, _, last = (wanted or "bytes=0-").removeprefix("bytes=").partition("-")
        plan.seen.append(Seen(path, int(first)))
        content = plan.files.get(path)
        kind = plan.fault_for(path)
        if content is None or kind == "missing":
            return self._send(404, b"", "text/plain")
        if kind == "denied":
            return self._send(403, b"", "text/plain")
        if kind in ("html", "broken"):
            return self._send(200 if kind == "html" else 503, BLANK, "text/html")
        if kind == "too long":
            content += b"\0"
        part = range(len(content))
        if wanted and kind != "no range":
            part = part[int(first) : int(last or len(content)) + 1]
        self._part(content, part, kind, TYPES.get(Path(path).suffix, "application/octet-stream"))

    def _part(self, content: bytes, part: range, kind: FaultKind | None, media: str) -> None:
        body = content[part.start : part.stop]
        if kind == "corrupted":
            body = body[:-1] + bytes([body[-1] ^ 1])
        whole = len(part) == len(content)
        self.send_response(200 if whole else 206)
        self.send_header("Content-Type", media)
        if not whole:
            self.send_header("Content-Range", f"bytes {part.start}-{part.stop - 1}/{len(content)}")
        if kind not in ("truncated", "one byte"):
            self.send_header("Content-Length", str(len(body) + (kind == "no end")))
        self._finish_headers()
        sent = len(body) * 2 // 3 if kind in ("truncated", "cut", "stalled") else len(body)
        self.wfile.write(body[: 1 if kind == "one byte" else sent])
        if kind in ("stalled", "no end"):
            self.wfile.flush()
            self.server.plan.released.wait(30)

    def _send(self, status: int, body: bytes, media: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media)
        self.send_header("Content-Length", str(len(body)))
        self._finish_headers()
        self.wfile.write(body)

    def _finish_headers(self) -> None:
        policy = self.server.plan.policies.get(self.path)
        if policy:
            self.send_header("Content-Security-Policy", policy)
        self.send_header("Connection", "close")
        self.end_headers()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, plan: EngineServer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.plan = plan

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that hangs up is part of the tests."""


@contextmanager
def serving() -> Iterator[EngineServer]:
    """A running server on a free port of this machine."""
    plan = EngineServer()
    server = _Server(plan)
    plan.origin = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield plan
    plan.released.set()
    server.shutdown()
    thread.join()
    server.server_close()
