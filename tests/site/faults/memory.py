"""The loop in memory: its jobs, dealt out to the workers of several pages."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from tests.site.faults.findings import Findings
from tests.site.faults.server import FaultServer

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, Page

WORKERS = 4
START = "() => { globalThis.loop = new Worker('/faults/loop.js', { type: 'module' }); }"
CALL = """([method, options]) => new Promise((resolve, reject) => {
  loop.onmessage = ({ data }) => ('error' in data ? reject(new Error(data.error)) : resolve(data.value));
  loop.onerror = (event) => reject(new Error(event.message));
  loop.postMessage({ method, options });
})"""
# Of a short run: how manieth job, how manieth case of it.
SHORT = (7, 9)


async def run_in_memory(context: "BrowserContext", *, short: bool, tell: Callable[[str], None]) -> Findings:
    """Every case, or a selection of them; the second pass of figures is in `measured`."""
    server = FaultServer()
    await server.open()
    try:
        pages = [await _start(context, server) for _ in range(WORKERS)]
        jobs = await _call(pages[0], "jobs")
        found = await _play(pages, jobs, SHORT if short else (1, 1), tell)
        found.measured |= await _integrity(pages, share=20 if short else 1)
        for page in pages:
            await page.close()
    finally:
        await server.close()
    return found


async def _start(context: "BrowserContext", server: FaultServer) -> "Page":
    page = await context.new_page()
    page.set_default_timeout(0)
    await page.goto(server.origin)
    await page.evaluate(START)
    return page


async def _call(page: "Page", method: str, options: object = None) -> Any:
    return await page.evaluate(CALL, [method, options])


async def _play(
    pages: Sequence["Page"], jobs: list[dict[str, str]], sample: tuple[int, int], tell: Callable[[str], None]
) -> Findings:
    step, every = sample
    chosen = jobs[::step]
    queue = list(enumerate(chosen))
    found = Findings()

    async def work(page: "Page") -> None:
        while queue:
            turn, job = queue.pop(0)
            played = await _call(page, "run", {"job": job, "first": 1 + turn % every, "every": every})
            found.cases += played["cases"]
            found.codes += Counter(played["codes"])
            found.violations += played["failures"]
            found.scenarios[job["scenario"]] += played["cases"]
            found.kinds.add(f"{job['where']}: {job['fault']}")
            tell(f"in memory: {len(chosen) - len(queue)} of {len(chosen)} jobs, {found.cases} cases")

    await asyncio.gather(*(work(page) for page in pages))
    return found


async def _integrity(pages: Sequence["Page"], share: int) -> dict[str, Any]:
    """10,000 flips and 1,000 truncations, shared out; and the pace of hashing, alone."""
    measured: dict[str, Any] = {}
    for method, name, count in (("bitFlips", "bit flips", 10_000), ("truncations", "truncations", 1_000)):
        each = count // share // len(pages)
        parts = await asyncio.gather(
            *(_call(page, method, {"count": each, "seed": seed}) for seed, page in enumerate(pages))
        )
        measured[name] = {key: sum(part[key] for part in parts) for key in ("count", "caught")}
    measured["hashing, s/GiB"] = round((await _call(pages[0], "hashing"))["secondsPerGib"], 2)
    return measured
