"""The loop in memory: its jobs, dealt out to the workers of several pages."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.site.faults.findings import Findings
from tests.site.faults.lane import Lane
from tests.site.faults.server import FaultServer

if TYPE_CHECKING:
    from playwright.async_api import Page

WORKERS = 4
START = "() => { globalThis.loop = new Worker('/faults/loop.js', { type: 'module' }); }"
CALL = """([method, options]) => new Promise((resolve, reject) => {
  loop.onmessage = ({ data }) => ('error' in data ? reject(new Error(data.error)) : resolve(data.value));
  loop.onerror = (event) => reject(new Error(event.message));
  loop.postMessage({ method, options });
})"""
# Of a short run: how manieth job, how manieth case of it.
SHORT = (7, 9)


@dataclass
class Worker:
    """The loop on a page of its own."""

    lane: Lane
    server: FaultServer
    page: "Page | None" = None

    async def call(self, method: str, options: object = None) -> Any:
        return await self.lane.surely(lambda: self._call(method, options))

    async def _call(self, method: str, options: object) -> Any:
        if self.page is None or self.page.is_closed():
            self.page = await (await self.lane.context()).new_page()
            await self.page.goto(self.server.origin)
            await self.page.evaluate(START)
        return await self.page.evaluate(CALL, [method, options])


async def run_in_memory(lane: Lane, *, short: bool, tell: Callable[[str], None]) -> Findings:
    """Every case, or a selection of them; then what spoilt bytes and hashing cost."""
    server = FaultServer()
    await server.open()
    try:
        workers = [Worker(lane, server) for _ in range(WORKERS)]
        jobs = await workers[0].call("jobs")
        found = await _play(workers, jobs, SHORT if short else (1, 1), tell)
        found.measured |= await _integrity(workers, share=20 if short else 1)
        for worker in workers:
            if worker.page:
                await worker.page.close()
    finally:
        await server.close()
    return found


async def _play(
    workers: Sequence[Worker],
    jobs: list[dict[str, str]],
    sample: tuple[int, int],
    tell: Callable[[str], None],
) -> Findings:
    step, every = sample
    chosen = jobs[::step]
    queue = list(enumerate(chosen))
    found = Findings()

    async def work(worker: Worker) -> None:
        while queue:
            turn, job = queue.pop(0)
            played = await worker.call("run", {"job": job, "first": 1 + turn % every, "every": every})
            found.cases += played["cases"]
            found.codes += Counter(played["codes"])
            found.violations += played["failures"]
            found.scenarios[job["scenario"]] += played["cases"]
            found.kinds.add(f"{job['where']}: {job['fault']}")
            tell(f"in memory: {len(chosen) - len(queue)} of {len(chosen)} jobs, {found.cases} cases")

    await asyncio.gather(*(work(worker) for worker in workers))
    return found


async def _integrity(workers: Sequence[Worker], share: int) -> dict[str, Any]:
    """10,000 flips and 1,000 truncations, shared out; and the pace of hashing, alone."""
    measured: dict[str, Any] = {}
    for method, name, count in (("bitFlips", "bit flips", 10_000), ("truncations", "truncations", 1_000)):
        each = count // share // len(workers)
        parts = await asyncio.gather(
            *(worker.call(method, {"count": each, "seed": seed}) for seed, worker in enumerate(workers))
        )
        measured[name] = {key: sum(part[key] for part in parts) for key in ("count", "caught")}
    measured["hashing, s/GiB"] = round((await workers[0].call("hashing"))["secondsPerGib"], 2)
    return measured
