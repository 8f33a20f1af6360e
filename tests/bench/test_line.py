"""The slow line before a server: answers come a round trip late and share its rate, which its clock tells."""

import asyncio
from time import monotonic

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench.download.line import Line, Pace

PACE = Pace(bits_per_second=8_000_000, round_trip=0.05)
BYTES = 30_000


def _answer(request: Request) -> Response:
    return Response(bytes(int(request.path_params["size"])))


def _line(pace: Pace | None = PACE) -> Line:
    return Line(Starlette(routes=[Route("/{size}.{suffix}", _answer)]), pace)


async def _visit(line: Line, *paths: str, together: bool = False, pause: float = 0.0) -> None:
    transport = httpx.ASGITransport(app=line)
    async with httpx.AsyncClient(transport=transport, base_url="http://line") as client:
        if together:
            await asyncio.gather(*map(client.get, paths))
            return
        for path in paths:
            assert len((await client.get(path)).content) == int(path[1:].partition(".")[0])
            await asyncio.sleep(pause)


def test_one_behind_the_other_wait_a_round_trip_each() -> None:
    line = _line()
    began = monotonic()
    asyncio.run(_visit(line, "/10.js", f"/{BYTES}.bin"))
    assert line.passed
    costs = 2 * PACE.round_trip + 8 * BYTES / PACE.bits_per_second
    assert costs < line.passed.line < costs + 0.001  # the heads
    assert costs - 0.01 < line.passed.machine <= monotonic() - began


def test_together_they_wait_once_and_share_the_rate() -> None:
    line = _line()
    asyncio.run(_visit(line, f"/{BYTES}.bin", f"/{BYTES}.bin", together=True))
    assert line.passed
    costs = PACE.round_trip + 8 * 2 * BYTES / PACE.bits_per_second
    assert costs < line.passed.line < costs + 0.001


def test_what_the_machine_does_between_two_requests_costs_no_time_of_the_line() -> None:
    line = _line()
    asyncio.run(_visit(line, "/10.js", f"/{BYTES}.bin", pause=0.1))
    assert line.passed
    assert line.passed.machine > line.passed.line + 0.09


def test_without_a_pace_it_is_not_there() -> None:
    for line in (_line(None), _line()):
        line.speed_up()
        asyncio.run(_visit(line, f"/{BYTES}.bin"))
        assert line.passed is None
