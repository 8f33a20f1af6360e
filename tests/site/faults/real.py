"""The cases in Chromium with its own file system and sockets, on several browsers side by side."""

import asyncio
from collections.abc import Callable, Sequence

from tests.site.faults.engine_cases import engine_cases
from tests.site.faults.findings import Findings
from tests.site.faults.lane import GONE, TRIES, Lane
from tests.site.faults.network_cases import network_cases
from tests.site.faults.process_cases import process_cases
from tests.site.faults.stage import Case, Stage, play
from tests.site.faults.storage_cases import storage_cases
from tests.site.faults.waste import killed_often, waste_cases

# Of a short run: how manieth case.
SHORT_STEP = 23


def all_cases() -> list[Case]:
    return [*short_cases(1), *waste_cases()]


def short_cases(step: int) -> list[Case]:
    return [*network_cases(), *process_cases(), *storage_cases(), *engine_cases()][::step]


async def run_in_chromium(lanes: Sequence[Lane], *, short: bool, tell: Callable[[str], None]) -> Findings:
    cases = [*short_cases(SHORT_STEP), killed_often()] if short else all_cases()
    queue = list(cases)
    found = Findings()

    async def work(lane: Lane) -> None:
        while queue:
            case = queue.pop(0)
            stage = await _play(case, lane)
            found.cases += 1
            found.codes += stage.codes
            found.scenarios[case.scenario] += 1
            found.kinds.add(case.fault)
            named = [f"{case.scenario}, {case.fault}, {case.name}: {what}" for what in stage.wrong]
            found.violations += named
            for what, figure in stage.measured.items():
                found.measured[what] = max(figure, found.measured.get(what, 0))
            for violation in named:
                tell(f"VIOLATION {violation}")
            tell(f"in Chromium: {found.cases} of {len(cases)} cases, {len(found.violations)} violations")

    await asyncio.gather(*(work(lane) for lane in lanes))
    return found


async def _play(case: Case, lane: Lane) -> Stage:
    """Again where the browser itself has gone: that says nothing about the engine."""
    for _ in range(TRIES):
        stage = await play(case, await lane.context())
        if not any(GONE in what for what in stage.wrong):
            break
        await asyncio.sleep(1)
    return stage
