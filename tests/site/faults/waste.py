"""What interruptions cost: bytes sent, over the bytes of the model, where chunks are many and where they are few."""

import asyncio
from collections.abc import Iterator

from tests.site.faults.network_cases import held_visit
from tests.site.faults.process_cases import ENDS, back
from tests.site.faults.server import Answer, Asked
from tests.site.faults.small_model import SmallModel, small_model
from tests.site.faults.stage import Case, Play, Stage

CUTS = 10
MOST_WASTE = 1.05
# Four connections lose up to two chunks each in a tab that ends.
FINE = {"chunks": 1000, "chunk_bytes": 256}
# Of a model of few chunks, as most are, what has come of one is kept by the part.
COARSE = {"chunks": 4, "chunk_bytes": 200_000}
PART_BYTES = 500


def waste_cases() -> Iterator[Case]:
    for name, sizes in {"of a thousand chunks": FINE, "of eight chunks": COARSE}.items():
        yield Case("waste", "ten connections cut", name, _cut(small_model(**sizes)))
        yield Case("waste", "ten times: tab closed", name, _ended(small_model(**sizes), "tab closed"))
    fine = _ended(small_model(**FINE), "worker terminated")
    yield Case("waste", "ten times: worker terminated", "of a thousand chunks", fine)
    yield killed_often()


def killed_often() -> Case:
    """The quickest that cannot do without parts of chunks."""
    coarse = _ended(small_model(**COARSE), "worker terminated")
    return Case("waste", "ten times: worker terminated", "of eight chunks", coarse)


def _cut(model: SmallModel) -> Play:
    """Every tenth of the bytes, whatever is under way is reset."""

    async def run(stage: Stage) -> None:
        stage.serve(model)
        stage.server.bend = _in_pieces
        visit = asyncio.create_task(stage.sound(model))
        for cut in range(1, CUTS + 1):
            while stage.server.sent < model.total * cut // (CUTS + 1):
                await asyncio.sleep(0.005)
            stage.server.cut()
        await visit
        _weigh(stage, "ten cuts, sent over size", model.total)
        await stage.heal(model)

    return run


def _in_pieces(asked: Asked, answer: Answer) -> None:
    answer.piece, answer.pause = PART_BYTES // 2, 0.0005


def _ended(model: SmallModel, fault: str) -> Play:
    async def run(stage: Stage) -> None:
        stage.server.bend = _in_pieces
        for _ in range(CUTS):
            task = await held_visit(stage, model, model.total // (CUTS + 1), partBytes=PART_BYTES)
            # What the server has sent should have come, on a busy machine too: the wire holds nothing here.
            await asyncio.sleep(0.3)
            await ENDS[fault](stage.pages[0])
            await stage.killed(task)
            # Else it goes on for some milliseconds, until it learns that nobody is there.
            stage.server.cut()
            stage.server.go_on()
            await back(stage)
            await asyncio.sleep(0.05)
        await stage.sound(model)
        _weigh(stage, f"{fault} ten times, sent over size", model.total)
        await stage.heal(model)

    return run


def _weigh(stage: Stage, what: str, total: int) -> None:
    share = stage.server.sent / total
    stage.measured[what] = round(share, 4)
    stage.expect(share <= MOST_WASTE, f"{share:.3f} times the size was sent")
