"""A selection of the fault run (`python -m scripts.fault_run`): downloads lose nothing, in memory or in Chromium."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def found(chromium_path: Path) -> Any:
    """What the command prints; in a process of its own, since Playwright runs here already."""
    command = [sys.executable, "-m", "scripts.fault_run", "--short", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def test_no_fault_in_memory_costs_a_byte_or_leaves_the_store_stuck(found: Any) -> None:
    part = found["in memory"]
    assert part["violations"] == []
    assert len(part["kinds"]) >= 30
    assert part["cases"] >= 200
    assert {"single", "update", "tabs", "quota", "spoilt"} <= part["scenarios"].keys()


def test_every_flipped_bit_and_every_short_file_is_caught(found: Any) -> None:
    for what in ("bit flips", "truncations"):
        measured = found["in memory"]["measured"][what]
        assert measured["caught"] == measured["count"] > 0


def test_no_fault_in_chromium_costs_a_byte_or_leaves_the_store_stuck(found: Any) -> None:
    part = found["in Chromium"]
    assert part["violations"] == []
    assert part["cases"] >= 15
    assert {"network", "process", "quota", "engine"} <= part["scenarios"].keys()
