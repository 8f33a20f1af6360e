"""`thistledown bench` as people run it: a program of its own, because it brings a browser of its own."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.settings import OURS
from tests.architecture.tree import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

# SwiftShader is slow to compile zeroed workgroup memory, which our kernels do not need.
FAST = "--browser-arg=--enable-dawn-features=disable_workgroup_init"
QUICK = ("--software", "--prefill", "8,100000", "--decode", "0", "--tokens", "4", "--rounds", "2", FAST)

# A peer that is our engine behind another name: what it answers has to agree, and its ratios have to be near 1.
TWIN = """
import sys
import bench.peers, bench.made_files
from bench.__main__ import main
from pathlib import Path

class Made(bench.made_files.Made):
    def job(self, name, settings):
        Path(self._folder, "twin.js").write_text(
            "import { TimedOurs } from '/bench-peers/page/timed_ours.js';"
            "export const open = ({ model }) => TimedOurs.open(model);"
        )
        return {"model": self._model.address}

bench.made_files.Made = Made
bench.peers.PEERS["onnxruntime-web"] = bench.peers.Peer(
    "onnxruntime-web", "../made/twin.js", "onnxruntime-web", frozenset({"text-generation"}), "our engine once more"
)
bench.peers.fetch = lambda: None
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def model(tiny_granite: Callable[..., Path], artifact: Callable[..., Path]) -> Path:
    return artifact(tiny_granite(), quantize="q4", context=64)


def run(*words: str, program: tuple[str, ...] = ("-m", "bench")) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *program, "bench", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_it_measures_our_engine_and_each_of_its_kernels(model: Path, tmp_path: Path) -> None:
    file = tmp_path / "made" / "result.json"
    ran = run(str(model), *QUICK, "--peers", "", "--kernels", "--scan", "70", "-o", str(file))
    assert ran.returncode == 0, ran.stderr
    result: dict[str, Any] = json.loads(file.read_text())
    names = [load["name"] for load in result["workloads"]]
    assert names == ["prefill 8", "first token of 8", "decode at 4", "scan 70"]
    assert all(len(load["milliseconds"][OURS]) == 2 for load in result["workloads"])
    assert [gone["name"] for gone in result["left_out"]] == ["prefill 100000"]
    assert result["device"]["software"] is True
    engine = result["engines"][0]
    assert 20_000 < engine["runtime_bytes"]["gzip"] < 200_000
    assert engine["gpuBytes"] >= result["counts"]["memory"]["total"]
    assert engine["peakBytes"] > engine["gpuBytes"]
    assert result["gpu_calls"][OURS]["calls"]["createBindGroup"] == 0
    assert result["gpu_calls"][OURS]["calls"]["dispatchWorkgroups"] == result["counts"]["dispatches"]
    kernels = result["kernels"]
    assert {name: found["agrees"] for name, found in kernels["checks"].items() if not found["agrees"]} == {}
    assert all(row["of_roof"] > 0 for row in kernels["rows"])
    assert "of its roof, agrees" in ran.stdout


def test_a_peer_takes_its_turns_and_its_answers_are_compared(model: Path) -> None:
    ran = run(str(model), *QUICK, "--peers", "onnxruntime-web", "--json", program=("-c", TWIN))
    assert ran.returncode == 0, ran.stderr
    result = json.loads(ran.stdout)
    assert [engine["ok"] for engine in result["engines"]] == [True, True]
    assert [check["agrees"] for check in result["checks"]] == [True, True]
    for load in result["workloads"]:
        assert len(load["milliseconds"]["onnxruntime-web"]) == 2
        assert load["times_as_long"]["onnxruntime-web"]["rounds"] == 2


def test_a_folder_that_is_no_artifact_is_bad_input(tmp_path: Path) -> None:
    ran = run(str(tmp_path), "--peers", "")
    assert ran.returncode == 2
    assert "thistledown export" in ran.stderr
