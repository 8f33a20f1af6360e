"""A line as visitors have it, between a server and its browser: answers come a round trip late, all bytes share a rate.

Chromium can throttle by itself, but waits anew at each read: on a busy machine 8.1 Mbit/s were 7.4. Here what is late
is made up for, connections share the rate as they do on a line, and a page's workers cannot get around it.
"""

import asyncio
from dataclasses import dataclass
from time import monotonic

from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Bytes that are put on the line at once: 8 ms of the fastest mobile network, so that connections take turns.
_PIECE = 8192
# A stretch that goes on makes up for a piece that came late, unless the machine stood still.
_LATE = 0.5
# What uvicorn adds to the headers: status line, date, server.
_HEAD = 80


@dataclass(frozen=True)
class Pace:
    """Bits a second towards the visitor, and seconds from a request to its answer."""

    bits_per_second: int
    round_trip: float


FULL_SPEED = Pace(10**12, 0.0)


class Line:
    """ASGI before an application. Until it is told a pace it is not there."""

    def __init__(self, application: ASGIApp) -> None:
        self._application = application
        self._pace: Pace | None = None
        self._free_at = 0.0
        self._flying = 0
        self._busy, self._since = 0.0, 0.0
        self._weights_to_come = 0
        self.seconds: float | None = None
        """Time with a request under way, up to the last of the weights; None until it has come."""

    def begin(self, pace: Pace, weights: int) -> None:
        """A visit that fetches so many bytes of `weights`."""
        self._pace, self._weights_to_come = pace, weights
        self._busy, self.seconds = 0.0, None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._pace is None or scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        if self._flying == 0:
            self._since = monotonic()
        self._flying += 1
        try:
            answer = _Answer(self, self._pace, send, weighs=scope["path"].endswith(".bin"))
            await self._application(scope, receive, answer.send)
        finally:
            self._flying -= 1
            if self._flying == 0:
                self._busy += monotonic() - self._since

    async def carry(self, size: int, pace: Pace, *, goes_on: bool) -> None:
        """Wait until `size` more bytes have passed; what `goes_on` was on the line just before."""
        now = monotonic()
        late = goes_on and now - self._free_at < _LATE
        self._free_at = (self._free_at if late else max(self._free_at, now)) + 8 * size / pace.bits_per_second
        await asyncio.sleep(self._free_at - now)

    def note_weights(self, size: int) -> None:
        """So many bytes of weights have passed."""
        self._weights_to_come -= size
        if self._weights_to_come <= 0 and self.seconds is None:
            self.seconds = self._busy + monotonic() - self._since


class _Answer:
    """One answer on its way."""

    def __init__(self, line: Line, pace: Pace, send: Send, *, weighs: bool) -> None:
        self._line, self._pace, self._send, self._weighs = line, pace, send, weighs
        self._due = monotonic() + pace.round_trip

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await asyncio.sleep(self._due - monotonic())
            head = sum(len(name) + len(value) + 4 for name, value in message["headers"])
            await self._line.carry(head + _HEAD, self._pace, goes_on=False)
            await self._send(message)
        else:
            await self._send_body(message.get("body", b""), more=message.get("more_body", False))

    async def _send_body(self, body: bytes, *, more: bool) -> None:
        for start in range(0, len(body), _PIECE):
            piece = body[start : start + _PIECE]
            await self._line.carry(len(piece), self._pace, goes_on=True)
            await self._send({"type": "http.response.body", "body": piece, "more_body": True})
            if self._weighs:
                self._line.note_weights(len(piece))
        if not more:
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
