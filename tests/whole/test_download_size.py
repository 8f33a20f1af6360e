"""What a visit transfers, measured over the DevTools protocol, against the size report."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from exporter.report import measure_artifact

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]


MODEL = ROOT / "exporter" / "reduction" / "extraction" / "thistledown-extract"
RUN = "import sys; from thistledown_cli import main; sys.exit(main())"


def _measured(folder: Path) -> dict[str, list[int]]:
    """What the command foretells, and what it measured at the first and the repeat visit, by group."""
    command = [sys.executable, "-c", RUN, "report", str(folder), "--measure", "--software"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout[-1500:] + ran.stderr
    table = ran.stdout.partition("Measured in Chromium")[2]
    rows = re.findall(r"^(\w[\w ]*?) +([\d,]+) +([\d,]+) +([\d,]+)$", table, re.MULTILINE)
    return {name: [int(size.replace(",", "")) for size in sizes] for name, *sizes in rows}


@pytest.mark.parametrize(
    ("source", "scheme", "weights"), [("minilm", "q8", 20e6), ("minilm", "e4", 11e6), (str(MODEL), "q4", 3e6)]
)
def test_a_visit_costs_to_the_byte_what_the_report_says(
    artifact: Callable[..., Path], source: str, scheme: str, weights: float
) -> None:
    rows = _measured(artifact(source, quantize=scheme, context=512))
    assert weights < rows["weights"][0] < 1.3 * weights
    for foretold, first, repeat in rows.values():
        assert first == foretold > 0
        assert repeat == 0


def test_engine_plan_kernels_and_page_are_light(
    embedders: dict[str, Path], artifact: Callable[..., Path]
) -> None:
    """At most 150 kB brotli, with the tokenizer's code, for every tier."""
    for tier in ("base", "subgroups", "f16"):
        totals = measure_artifact(embedders["q8"], tier).totals
        light = totals["plan and kernels"]["brotli"] + totals["engine and page"]["brotli"]
        assert light <= 150_000


def test_the_report_in_the_artifact_is_what_the_command_measures(embedders: dict[str, Path]) -> None:
    folder = embedders["q4"]
    written, measured = json.loads((folder / "report.json").read_text()), measure_artifact(folder).to_json()
    assert written.keys() == measured.keys()
    for key in ("first_visit", "repeat_visit", "bits_per_weight", "parameters"):
        assert written[key] == measured[key]
    for one, two in zip(written["files"], measured["files"], strict=True):
        assert one == two | {key: None for key in ("gzip", "brotli") if one[key] is None}
        assert one["gzip"] is not None or one["travels"] == one["raw"]
