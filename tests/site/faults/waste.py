"""What interruptions cost: bytes sent, over the bytes of the model, where chunks are small against it."""

import asyncio
from collections.abc import Iterator

from tests.site.faults.network_cases import held_visit, reset_at
from tests.site.faults.process_cases import ENDS, back
from tests.site.faults.server import Answer, Asked
from tests.site.faults.small_model import small_model
from tests.site.faults.stage import Case, Play, Stage

CUTS = 10
MOST_WASTE = 1.05
# Four connections lose up to two chunks each in a tab that ends.
FINE = {"chunks": 1000, "chunk_bytes": 256}


def waste_cases() -> Iterator[Case]:
    yield Case("waste", "ten connections cut", "of a thousand chunks", _cut)
    yield Case("waste", "ten times: worker terminated", "of a thousand chunks", _ended("worker terminated"))


async def _cut(stage: Stage) -> None:
    model = small_model(**FINE)
    stage.serve(model)
    apart = FINE["chunks"] // CUTS

    def bend(asked: Asked, answer: Answer) -> None:
        if asked.number % apart == apart // 2:
            reset_at(len(answer.body) * 3 // 4)(asked, answer)

    stage.server.bend = bend
    await stage.sound(model)
    _weigh(stage, "ten cuts, sent over size", model.total)
    await stage.heal(model)


def _ended(fault: str) -> Play:
    async def run(stage: Stage) -> None:
        model = small_model(**FINE)
        for _ in range(CUTS):
            task = await held_visit(stage, model, model.total // (CUTS + 1))
            await ENDS[fault](stage.pages[0])
            await stage.killed(task)
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
