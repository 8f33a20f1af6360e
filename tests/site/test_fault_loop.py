"""Fails the Nth operation of a download, for every N until it passes; then one visit more must find the disk whole."""

from pathlib import Path

import pytest

from tests.site.conftest import EnginePage
from tests.site.engine_server import EngineServer

pytestmark = pytest.mark.browser

FAULTS = Path(__file__).parent / "faults"
RUN = """
  const worker = new Worker('/models/faults/loop.js', { type: 'module' });
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage({ every: args.every });
  });
"""


def test_no_fault_costs_a_byte_or_leaves_the_store_stuck(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    for script in FAULTS.glob("*.js"):
        engine_server.files[f"/models/faults/{script.name}"] = script.read_bytes()
    found = engine_page.run(RUN, every=23)
    print(found)
    assert found["failures"] == []
    assert found["kinds"] >= 30
    assert found["cases"] >= 200
