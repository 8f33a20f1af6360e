"""Cases of a file system that is full, is cleared, or is not as it was left."""

import asyncio
from collections.abc import Iterator

from tests.site.faults.network_cases import held_visit
from tests.site.faults.small_model import SmallModel, small_model
from tests.site.faults.stage import Case, Play, Stage

UNLIMITED = 10 << 30
SPOILS = ("gone", "empty", "cut in half", "a bit flipped", "zeros", "ones")
# Shards, the small file and the record: two entries each.
ENTRIES = 8


def storage_cases() -> Iterator[Case]:
    model, new = small_model(), small_model(version=2)
    for position in range(40):
        quota = position * 400
        yield Case("quota", "room for k bytes", f"k = {quota}", _full(None, model, quota))
    for position in range(12):
        quota = model.total + position * 600
        yield Case("quota", "room for k bytes in an update", f"k = {quota}", _full(model, new, quota))
    for entry in range(ENTRIES):
        for how in SPOILS:
            yield Case("spoilt", f"entry {how}", f"entry {entry}", _spoilt(model, entry, how))
    for after in range(0, model.total, model.total // 8):
        yield Case("cleared", "site data cleared midway", f"after {after}", _cleared(model, after))
        yield Case("cleared", "forgotten midway by another tab", f"after {after}", _forgotten(model, after))


async def set_quota(stage: Stage, quota: int) -> None:
    session = await stage.context.new_cdp_session(await stage.page())
    await session.send("Storage.overrideQuotaForOrigin", {"origin": stage.server.origin, "quotaSize": quota})


def _full(old: SmallModel | None, model: SmallModel, quota: int) -> Play:
    """Two visits go on without the room; once there is enough again, all is kept."""

    async def run(stage: Stage) -> None:
        stage.serve(model)
        if old:
            stage.serve(old)
            await stage.sound(old)
        await set_quota(stage, quota)
        for _ in range(2):
            report = await stage.sound(model)
            stage.codes[f"kept, or not: {report['notKept']}"] += 1
            await stage.check_record([model, old or model])
        await set_quota(stage, UNLIMITED)
        await stage.heal(model)

    return run


def _spoilt(model: SmallModel, entry: int, how: str) -> Play:
    async def run(stage: Stage) -> None:
        stage.serve(model)
        await stage.sound(model)
        paths = await stage.call("entries")
        stage.expect(len(paths) == ENTRIES, f"{len(paths)} entries: {paths}")
        await stage.call("spoil", paths[entry], how)
        await stage.heal(model)

    return run


def _cleared(model: SmallModel, after: int) -> Play:
    async def run(stage: Stage) -> None:
        task = await held_visit(stage, model, after)
        session = await stage.context.new_cdp_session(stage.pages[0])
        wanted = {"origin": stage.server.origin, "storageTypes": "all"}
        await session.send("Storage.clearDataForOrigin", wanted)
        stage.server.go_on()
        report = await task
        stage.expect(
            report["code"] == "none", f"clearing the site's data ended a visit with {report['code']}"
        )
        await stage.heal(model)

    return run


def _forgotten(model: SmallModel, after: int) -> Play:
    async def run(stage: Stage) -> None:
        task = await held_visit(stage, model, after)
        other = await stage.add_page()
        forgetting = asyncio.create_task(stage.call("forget", stage.server.base, page=other))
        await asyncio.sleep(0.05)
        stage.server.go_on()
        report, _ = await asyncio.gather(task, forgetting)
        stage.expect(report["code"] == "none", f"forgetting ended a visit with {report['code']}")
        await stage.heal(model)

    return run
