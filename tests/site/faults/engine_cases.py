"""Cases of the whole engine, GPU and all: `engine.load`, and the vector that must come of it."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.site.engine_artifacts import Artifact, embedding_artifact
from tests.site.faults.network_cases import TWISTS, turns
from tests.site.faults.process_cases import ENDS, back
from tests.site.faults.server import Bend
from tests.site.faults.small_model import FOLDER
from tests.site.faults.stage import PATIENCE, Case, Play, Stage
from tests.site.faults.storage_cases import UNLIMITED, set_quota

# A shard of 34 chunks.
CHUNK_BYTES = 8
LOAD = """async (base) => {
  const engine = await import('/engine/index.js');
  try {
    const model = await engine.load(base);
    const [{ data }] = await model.embed(['thistle down']);
    const { networkBytes } = model.stats();
    await model.unload();
    return { code: 'none', data: [...data], networkBytes };
  } catch (error) {
    return { code: error.code ?? String(error), typed: error instanceof engine.errors.EngineError };
  }
}"""


@dataclass(frozen=True)
class Folder:
    """An artifact as it is served, and how many bytes a load fetches besides the manifest."""

    contents: Mapping[str, bytes]

    @classmethod
    def of(cls, artifact: Artifact) -> "Folder":
        files = artifact.files(chunk_bytes=CHUNK_BYTES)
        return cls({FOLDER + name: content for name, content in files.items()})

    @property
    def manifest(self) -> int:
        return len(self.contents[FOLDER + "manifest.json"])


def engine_cases() -> Iterator[Case]:
    folder = Folder.of(embedding_artifact())
    for fault in (
        "reset in the body",
        "closed before its length",
        "bit flip",
        "503",
        "captive portal",
        "stalls",
    ):
        for first in (0, 2, 9):
            bend = turns(TWISTS[fault], first, 1)
            yield Case("engine", fault, f"at request {first}", _bent(folder, bend))
    for fault in ("renderer crash", "reload", "tab closed"):
        for after in (folder.manifest + 100, folder.manifest + 4000):
            yield Case("engine", fault, f"after {after}", _ended(folder, fault, after))
    for quota in (0, 2000, 6000):
        yield Case("engine", "room for k bytes", f"k = {quota}", _full(folder, quota))
    for fault in ("captive portal", "503", "reset at the start"):
        bend = turns(TWISTS[fault], 0, None)
        yield Case("engine", f"kept, and the server says: {fault}", "all requests", _kept(folder, bend))
    yield Case("engine", "kept, and the server is silent", "all requests", _silent(folder))
    yield Case("engine", "update to a new version", "whole", _updated(folder))
    yield Case("engine", "several tabs, cold", "3 tabs", _together(folder, 3))


async def _load(stage: Stage, page: Any = None) -> dict[str, Any]:
    on = page or await stage.page()
    report: dict[str, Any] = await asyncio.wait_for(on.evaluate(LOAD, stage.server.base), PATIENCE)
    stage.codes[report["code"]] += 1
    stage.expect(report.get("typed", True), f"untyped {report['code']}")
    return report


async def _vector(stage: Stage) -> list[float]:
    """What the model says on an origin that nothing befalls: the same wherever it was loaded from."""
    report = await _load(stage)
    stage.expect(report["code"] == "none", f"a load without faults ended with {report['code']}")
    data: list[float] = report.get("data", [])
    return data


async def _heal(stage: Stage, folder: Folder, earlier: dict[str, Any] | None = None) -> None:
    """The next load is sound, the one after it fetches the manifest only; all say the same."""
    stage.server.bend = lambda asked, answer: None
    stage.server.go_on()
    first = await _vector(stage)
    sent = stage.server.sent
    second = await _vector(stage)
    stage.expect(first == second, "two loads give two vectors")
    if earlier and earlier["code"] == "none":
        stage.expect(earlier["data"] == first, "a load with a fault gave another vector")
    fetched = stage.server.sent - sent
    stage.expect(fetched == folder.manifest, f"{fetched} bytes were sent again")


def _bent(folder: Folder, bend: Bend) -> Play:
    async def run(stage: Stage) -> None:
        stage.server.files |= folder.contents
        stage.server.bend = bend
        await _heal(stage, folder, await _load(stage))

    return run


def _ended(folder: Folder, fault: str, after: int) -> Play:
    async def run(stage: Stage) -> None:
        stage.server.files |= folder.contents
        await stage.page()
        stage.server.hold(after)
        task = asyncio.create_task(_load(stage))
        await asyncio.wait_for(stage.server.held.wait(), PATIENCE)
        await ENDS[fault](stage.pages[0])
        await stage.killed(task)
        await back(stage)
        await _heal(stage, folder)

    return run


def _full(folder: Folder, quota: int) -> Play:
    async def run(stage: Stage) -> None:
        stage.server.files |= folder.contents
        await set_quota(stage, quota)
        report = await _load(stage)
        stage.expect(report["code"] == "none", f"a full disk ended a load with {report['code']}")
        await set_quota(stage, UNLIMITED)
        await _heal(stage, folder, report)

    return run


def _kept(folder: Folder, bend: Bend) -> Play:
    async def run(stage: Stage) -> None:
        stage.server.files |= folder.contents
        await _vector(stage)
        stage.server.bend = bend
        await _heal(stage, folder, await _whole(stage))

    return run


async def _whole(stage: Stage) -> dict[str, Any]:
    """A load that needs no server, because everything is kept."""
    report = await _load(stage)
    stage.expect(report["code"] == "none", f"a kept model ended with {report['code']}")
    return report


def _silent(folder: Folder) -> Play:
    """A server that accepts and says nothing holds a kept model up for a few seconds, and not for thirty."""

    async def run(stage: Stage) -> None:
        stage.server.files |= folder.contents
        await _vector(stage)
        stage.server.hold(0)
        begun = asyncio.get_running_loop().time()
        report = await _whole(stage)
        waited = asyncio.get_running_loop().time() - begun
        stage.measured["kept model behind a silent server, s"] = round(waited, 1)
        stage.expect(waited < 12, f"a kept model was held up for {waited:.0f} s")
        await _heal(stage, folder, report)

    return run


def _updated(folder: Folder) -> Play:
    artifact = embedding_artifact()
    artifact.shards[1] = bytes(128)
    new = Folder.of(artifact)

    async def run(stage: Stage) -> None:
        stage.server.files |= folder.contents
        await _vector(stage)
        stage.server.files |= new.contents
        await _heal(stage, new)

    return run


def _together(folder: Folder, count: int) -> Play:
    async def run(stage: Stage) -> None:
        stage.server.files |= folder.contents
        pages = [await stage.add_page() for _ in range(count)]
        await asyncio.gather(*(_load(stage, page) for page in pages))
        weights = stage.server.sent - count * folder.manifest
        size = sum(map(len, folder.contents.values())) - folder.manifest
        stage.expect(weights == size, f"{count} tabs fetched {weights} of {size} bytes")
        await _heal(stage, folder)

    return run
