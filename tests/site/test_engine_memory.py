"""Memory of a load: the JavaScript heap and its buffers hold a few chunks, however large the model."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
import pytest

from tests.site.conftest import EnginePage
from tests.site.engine_artifacts import Artifact, _buffer, embedding_artifact
from tests.site.engine_server import EngineServer

if TYPE_CHECKING:
    from playwright.sync_api import CDPSession

pytestmark = pytest.mark.browser

MIB = 2**20
SHARD_BYTES = 32 * MIB
CHUNK_BYTES = MIB
MOST_HEAP = 64 * MIB
# What the larger model's load may have more than the smaller one's: buffers that await collection.
MOST_GROWTH = 24 * MIB
START = """
  globalThis.loading = { done: false };
  engine.load(args.url).then(
    (model) => { loading.model = model; loading.done = true; },
    (error) => { loading.error = String(error); loading.done = true; },
  );
"""
END = """
  if (loading.error) throw new Error(loading.error);
  const { networkBytes } = loading.model.stats();
  await loading.model.unload();
  return networkBytes;
"""
POLL_MS = 15


class Heaps:
    """What the page's JavaScript and its workers' occupies, array buffers included."""

    def __init__(self, session: "CDPSession") -> None:
        self.session = session
        self.workers: list[str] = []
        self.told: dict[str, int] = {}
        self.asked = 0
        session.on("Target.attachedToTarget", lambda event: self.workers.append(event["sessionId"]))
        session.on("Target.receivedMessageFromTarget", self._hear)
        attaching = {"autoAttach": True, "waitForDebuggerOnStart": False, "flatten": False}
        session.send("Target.setAutoAttach", attaching)

    def _hear(self, event: dict[str, Any]) -> None:
        message = json.loads(event["message"])
        if "result" in message:
            self.told[event["sessionId"]] = _occupied(message["result"])

    def bytes(self, wait: Callable[[float], None]) -> int:
        """Of all of them; a worker that is busy, and answers later, counts with what it said last."""
        for worker in self.workers:
            self.asked += 1
            message = json.dumps({"id": self.asked, "method": "Runtime.getHeapUsage"})
            self.session.send("Target.sendMessageToTarget", {"sessionId": worker, "message": message})
        wait(POLL_MS)
        return _occupied(self.session.send("Runtime.getHeapUsage")) + sum(self.told.values())


def _occupied(usage: dict[str, int]) -> int:
    return usage["usedSize"] + usage["embedderHeapUsedSize"] + usage["backingStorageSize"]


def artifact_of(bytes_of_weights: int) -> Artifact:
    """The embedding artifact with so many bytes of weights more, which no kernel reads."""
    artifact = embedding_artifact()
    plan = artifact.plan
    random = np.random.default_rng(bytes_of_weights)
    for number in range(bytes_of_weights // SHARD_BYTES):
        weight = _buffer(f"large {number}", "weight", SHARD_BYTES, shard=len(artifact.shards), offset=0)
        plan["buffers"].append(weight)
        artifact.shards.append(random.bytes(SHARD_BYTES))
    for part in ("weights", "total"):
        plan["memory"][part] += bytes_of_weights
    plan["limits"] |= dict.fromkeys(("maxBufferSize", "maxStorageBufferBindingSize"), SHARD_BYTES)
    return artifact


@contextmanager
def renderer_peak(page: EnginePage) -> Iterator[Callable[[], int]]:
    """Private memory of all renderers over what it was, at its most when it was asked for."""
    assert page.page.context.browser
    session = page.page.context.browser.new_browser_cdp_session()

    def private() -> int:
        processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
        ids = [process["id"] for process in processes if process["type"] == "renderer"]
        return sum(psutil.Process(id).memory_full_info().uss for id in ids if psutil.pid_exists(id))

    before = private()
    yield lambda: private() - before
    session.detach()


def peaks_of_load(page: EnginePage, url: str) -> tuple[int, int, int]:
    """(heaps, the renderer's private memory, bytes fetched): peaks over what there was before."""
    heaps = Heaps(page.page.context.new_cdp_session(page.page))
    before = heaps.bytes(page.page.wait_for_timeout)
    with renderer_peak(page) as renderer:
        page.run(START, url=url)
        heap, private = 0, 0
        while not page.page.evaluate("loading.done"):
            heap = max(heap, heaps.bytes(page.page.wait_for_timeout) - before)
            private = max(private, renderer())
        return heap, private, page.run(END)


def test_a_load_holds_a_few_chunks_however_large_the_model(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    heap_peaks = []
    for mebibytes in (64, 256):
        url = engine_server.add(f"large-{mebibytes}", artifact_of(mebibytes * MIB).files(CHUNK_BYTES))
        heap, private, fetched = peaks_of_load(engine_page, url)
        print(f"{mebibytes} MiB: heap and buffers {heap / MIB:.1f} MiB, renderer {private / MIB:.0f} MiB")
        assert fetched > mebibytes * MIB
        assert 4 * MIB < heap < MOST_HEAP
        heap_peaks.append(heap)
        engine_page.page.reload()
    assert heap_peaks[1] - heap_peaks[0] < MOST_GROWTH
