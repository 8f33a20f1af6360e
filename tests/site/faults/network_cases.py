"""Cases of a server, or of what lies between, that does what it should not."""

import asyncio
from collections.abc import Callable, Iterator

from tests.site.faults.server import PORTAL, Answer, Asked, Bend
from tests.site.faults.small_model import SmallModel, small_model
from tests.site.faults.stage import PATIENCE, RUN_BYTES, Case, Play, Stage

Twist = Callable[[Asked, Answer], None]


def _headers(**fields: str) -> Twist:
    return lambda asked, answer: answer.headers.update(
        {name.replace("_", "-"): text for name, text in fields.items()}
    )


def _instead(status: int, body: bytes = b"", media: str = "text/plain", **fields: str) -> Twist:
    def twist(asked: Asked, answer: Answer) -> None:
        answer.status, answer.body = status, body
        answer.headers = {"Content-Type": media, "Content-Length": str(len(body))}
        _headers(**fields)(asked, answer)

    return twist


def _raw(content: bytes) -> Twist:
    return lambda asked, answer: setattr(answer, "raw", content)


def _stop(how: str, at: float, **headers: str) -> Twist:
    """Ends the body after a share of it."""

    def twist(asked: Asked, answer: Answer) -> None:
        setattr(answer, how, int(len(answer.body) * at))
        _headers(**headers)(asked, answer)

    return twist


def _no_length(asked: Asked, answer: Answer) -> None:
    del answer.headers["Content-Length"]
    answer.close_at = len(answer.body) * 2 // 3


def _chunked_cut(asked: Asked, answer: Answer) -> None:
    del answer.headers["Content-Length"]
    answer.headers["Transfer-Encoding"] = "chunked"
    answer.body = b"%x\r\n" % len(answer.body) + answer.body[: len(answer.body) // 2]


def _too_long(asked: Asked, answer: Answer) -> None:
    answer.body += b"more"
    del answer.headers["Content-Length"]


def _drip(asked: Asked, answer: Answer) -> None:
    answer.piece, answer.pause = 16, 0.002


def _flip(asked: Asked, answer: Answer) -> None:
    middle = len(answer.body) // 2
    answer.body = answer.body[:middle] + bytes([answer.body[middle] ^ 8]) + answer.body[middle + 1 :]


def _other_bytes(model: SmallModel, place: int) -> Twist:
    """The stretch of another file: a swapped shard, or one of another version."""

    def twist(asked: Asked, answer: Answer) -> None:
        body = list(model.contents.values())[place]
        answer.body = body[asked.start : asked.end].ljust(asked.end - asked.start, b"\0")

    return twist


def _wrong_range(asked: Asked, answer: Answer) -> None:
    answer.status = 206
    answer.headers["Content-Range"] = (
        f"bytes {asked.start + 128}-{asked.end + 127}/{len(answer.body) + 10_000}"
    )


def _whole_instead(model: SmallModel) -> Twist:
    def twist(asked: Asked, answer: Answer) -> None:
        answer.status, answer.body = 200, model.contents[asked.path]
        answer.headers = {"Content-Type": "application/octet-stream", "Content-Length": str(len(answer.body))}

    return twist


# What needs no model to be said.
TWISTS: dict[str, Twist] = {
    "reset at the start": _stop("reset_at", 0),
    "reset in the body": _stop("reset_at", 0.5),
    "closed without an answer": _raw(b""),
    "not HTTP": _raw(b"\x16\x03\x01 what is this\r\n\r\n"),
    "no length, closed early": _no_length,
    "closed before its length": _stop("close_at", 0.7),
    "chunked and cut": _chunked_cut,
    "longer than it should be": _too_long,
    "stalls": _stop("stall_at", 0.4),
    "drips": _drip,
    "another range": _wrong_range,
    "416": _instead(416),
    "429": _instead(429),
    "429 for a second": _instead(429, Retry_After="1"),
    "500": _instead(500),
    "502 with a page": _instead(502, PORTAL, "text/html"),
    "503": _instead(503),
    "504": _instead(504),
    "404": _instead(404),
    "403": _instead(403),
    "captive portal": _instead(200, PORTAL, "text/html"),
    "redirect to a portal": _instead(302, Location="/portal"),
    "redirect in a circle": _instead(302, Location="?again"),
    "encoding that it is not in": _headers(Content_Encoding="gzip"),
    "bit flip": _flip,
    "empty body": _instead(206),
}


def _twists(model: SmallModel) -> dict[str, Twist]:
    return {
        **TWISTS,
        "whole file instead of a range": _whole_instead(model),
        "swapped shard": _other_bytes(model, 1),
        "stale version": _other_bytes(small_model(version=7), 1),
    }


def turns(twist: Twist, first: int, times: int | None) -> Bend:
    """Bends so many answers from the given request on; all of them where no number is given."""
    left = [times]

    def bend(asked: Asked, answer: Answer) -> None:
        if asked.number < first or left[0] == 0:
            return
        left[0] = None if left[0] is None else left[0] - 1
        twist(asked, answer)

    return bend


def network_cases() -> Iterator[Case]:
    model = small_model()
    for fault, twist in _twists(model).items():
        lasting = [] if "second" in fault else [(5, None)]
        for first, times in [(0, 1), (3, 2), (17, 1), *lasting]:
            yield _bent(fault, f"from request {first}, {times or 'all'}", model, turns(twist, first, times))
    for at in range(0, 256, 16):
        yield _bent("reset at byte k", f"k = {at}", model, turns(reset_at(at), 4, 1))
        yield _bent("bit flip at byte k", f"k = {at}", model, turns(_flip_at(at), 6, 1))
    for after in range(0, model.total, model.total // 6):
        yield Case("network", "server restarts on its port", f"after {after}", _restart(model, after))
        yield Case("network", "connections refused", f"after {after}", _refused(model, after))
        yield Case("network", "offline for a while", f"after {after}", _offline(model, after))


def _bent(fault: str, name: str, model: SmallModel, bend: Bend) -> Case:
    async def run(stage: Stage) -> None:
        stage.serve(model)
        stage.server.bend = bend
        await stage.visit(model)
        await stage.heal(model)

    return Case("network", fault, name, run)


def reset_at(at: int) -> Twist:
    return lambda asked, answer: setattr(answer, "reset_at", min(at, len(answer.body)))


def _flip_at(at: int) -> Twist:
    def twist(asked: Asked, answer: Answer) -> None:
        place = min(at, len(answer.body) - 1)
        answer.body = answer.body[:place] + bytes([answer.body[place] ^ 1]) + answer.body[place + 1 :]

    return twist


def _restart(model: SmallModel, after: int) -> Play:
    async def run(stage: Stage) -> None:
        task = await held_visit(stage, model, after)
        await stage.server.close()
        await asyncio.sleep(0.1)
        await stage.server.open()
        stage.server.go_on()
        stage.expect((await task)["code"] == "none", "a restart was not survived")
        await stage.heal(model)

    return run


def _refused(model: SmallModel, after: int) -> Play:
    async def run(stage: Stage) -> None:
        task = await held_visit(stage, model, after)
        await stage.server.close()
        stage.expect((await task)["code"] == "NETWORK_FAILED", "refused connections have another code")
        await stage.server.open()
        await stage.heal(model)

    return run


def _offline(model: SmallModel, after: int) -> Play:
    async def run(stage: Stage) -> None:
        task = await held_visit(stage, model, after)
        await stage.context.set_offline(True)
        stage.server.go_on()
        await asyncio.sleep(0.1)
        await stage.context.set_offline(False)
        await task
        await stage.heal(model)

    return run


async def held_visit(
    stage: Stage, model: SmallModel, after: int, **options: int
) -> "asyncio.Task[dict[str, object]]":
    """A visit whose server has sent so many bytes and now waits."""
    stage.serve(model)
    await stage.page()
    stage.server.hold(after)
    waits = {"stallMs": 2000, "backoffMs": 50, "runBytes": RUN_BYTES, **options}
    task = asyncio.create_task(stage.visit(model, waits=waits))
    held = asyncio.create_task(stage.server.held.wait())
    await asyncio.wait({task, held}, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
    held.cancel()
    if not stage.server.held.is_set():
        told = f"ended with {task.result()}" if task.done() else f"asks for nothing in {PATIENCE} s"
        raise AssertionError(f"a visit that {after} bytes should hold {told}")
    # Others that are under way come as far as they can.
    await asyncio.sleep(0.05)
    return task
