"""A line as visitors have it, between a server and its browser: answers come a round trip late, all bytes share a rate.

Chromium can throttle by itself, but waits anew at each read: on a busy machine 8.1 Mbit/s were 7.4. Here what is late
is made up for, connections share the rate as they do on a line, and a page's workers cannot get around it.

The line has a clock of its own, which does not move while the machine computes: on it, a request begins when the last
answer before it ended. So it tells what the line costs, whatever runs beside the browser.
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


@dataclass(frozen=True)
class Passed:
    """Seconds from the first request to the last of the weights, on the line's clock and on the machine's."""

    line: float
    machine: float


class Line:
    """ASGI before an application; without a pace it is as fast as the machine. `passed` is up to the last weights."""

    def __init__(self, application: ASGIApp, pace: Pace | None) -> None:
        self._application, self._pace = application, pace
        self._free_at, self._first_at = 0.0, 0.0
        self._clock, self._ended = 0.0, 0.0
        self.passed: Passed | None = None

    def speed_up(self) -> None:
        """From now on as fast as the machine."""
        self._pace = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._pace is None or scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        self._first_at = self._first_at or monotonic()
        answer = _Answer(self, self._pace, self._ended, send, weighs=scope["path"].endswith(".bin"))
        await self._application(scope, receive, answer.send)
        self._ended = max(self._ended, answer.clock)

    async def carry(self, size: int, pace: Pace, clock: float, *, goes_on: bool) -> float:
        """The clock when `size` more bytes have passed, which is waited for; what `goes_on` passed just before."""
        now, takes = monotonic(), 8 * size / pace.bits_per_second
        late = goes_on and now - self._free_at < _LATE
        self._free_at = (self._free_at if late else max(self._free_at, now)) + takes
        self._clock = max(self._clock, clock) + takes
        came = self._clock
        await asyncio.sleep(self._free_at - now)
        return came

    def note_weights(self, clock: float) -> None:
        """Some have passed."""
        self.passed = Passed(clock, monotonic() - self._first_at)


class _Answer:
    """One answer on its way."""

    def __init__(self, line: Line, pace: Pace, begins: float, send: Send, *, weighs: bool) -> None:
        self._line, self._pace, self._send, self._weighs = line, pace, send, weighs
        self._due = monotonic() + pace.round_trip
        self.clock = begins + pace.round_trip

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await asyncio.sleep(self._due - monotonic())
            head = sum(len(name) + len(value) + 4 for name, value in message["headers"])
            await self._carry(head + _HEAD, goes_on=False)
            await self._send(message)
        else:
            await self._send_body(message.get("body", b""), more=message.get("more_body", False))

    async def _send_body(self, body: bytes, *, more: bool) -> None:
        for start in range(0, len(body), _PIECE):
            piece = body[start : start + _PIECE]
            await self._carry(len(piece), goes_on=True)
            await self._send({"type": "http.response.body", "body": piece, "more_body": True})
            if self._weighs:
                self._line.note_weights(self.clock)
        if not more:
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _carry(self, size: int, *, goes_on: bool) -> None:
        self.clock = await self._line.carry(size, self._pace, self.clock, goes_on=goes_on)
