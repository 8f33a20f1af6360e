"""JavaScript's heap while a model loads: the same for 32 MiB and for 256 MiB of weights."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.site.engine_artifacts import Artifact, embedding_artifact
from tests.webapp.served import running
from tests.whole.devtools import HeapMeter
from webapp import Settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

MIB = 1 << 20
SHARD = 32 * MIB
CHUNK = 4 * MIB
LOAD = """async (folder) => {
  const { load } = await import('/engine/index.js');
  globalThis.model = await load(`/models/${folder}/`);
  globalThis.loaded = true;
}"""


def _with_ballast(shards: int) -> Artifact:
    """The tiny embedding model with `shards` further shards of 32 MiB that no kernel reads."""
    artifact = embedding_artifact()
    noise = np.random.default_rng(shards)
    for index in range(shards):
        shard = len(artifact.shards)
        artifact.shards.append(noise.bytes(SHARD))
        artifact.plan["buffers"].append(
            {"name": f"ballast.{index}", "kind": "weight", "bytes": SHARD, "shard": shard, "offset": 0}
        )
    for key in ("weights", "total"):
        artifact.plan["memory"][key] += shards * SHARD
    artifact.plan["limits"]["maxBufferSize"] = SHARD
    return artifact


def _write(folder: Path, artifact: Artifact) -> Path:
    folder.mkdir()
    for name, content in artifact.files(CHUNK).items():
        (folder / name).write_bytes(content)
    return folder


def _peak(browser: "Browser", address: str, folder: str) -> int:
    context = browser.new_context(service_workers="block")
    try:
        page = context.new_page()
        page.goto(f"{address}/generate.html")
        meter = HeapMeter(context.new_cdp_session(page))
        page.evaluate(f"({LOAD})('{folder}').catch((error) => {{ globalThis.loaded = error.message }}); 0")
        while (loaded := page.evaluate("globalThis.loaded")) is None:
            meter.look()
            page.wait_for_timeout(20)  # the meter's answers arrive while the page is waited for
        assert loaded is True
        assert meter.looks > 10
        return meter.peak
    finally:
        context.close()


def test_the_heap_does_not_grow_with_the_model(browser: "Browser", tmp_path: Path) -> None:
    """Four chunks of 4 MiB are on their way at once; 64 MiB is the goal for any size."""
    folders = tuple(_write(tmp_path / f"ballast-{n}", _with_ballast(n)) for n in (1, 8))
    with running(Settings(folders=folders)) as client:
        address = str(client.base_url.copy_with(host="localhost"))
        small, large = (_peak(browser, address, folder.name) for folder in folders)
    print(f"peaks: {small:,} and {large:,} bytes")
    assert large < 64 * MIB
    assert large - small < 0.1 * 7 * SHARD
