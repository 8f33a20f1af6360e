"""What an engine's answers are judged by, with a stand-in for the browser."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from bench.engines import Engines
from bench.made_files import Made
from bench.model_folder import ModelFolder
from bench.settings import BenchSettings
from bench.table import table
from bench.workloads import Workload

MANIFEST = {"task": "text-generation", "vocabulary": 100}
ANSWER = Workload("first token of 4", "generate", ({"text": "a", "ids": [1]}, 1), "firstMs", 4)


class Tab:
    """Opens every engine; their logits differ by `difference`."""

    def __init__(self, difference: float) -> None:
        self.difference = difference

    def call(self, name: str, *args: object) -> Any:
        answers: dict[str, Any] = {
            "compareLogits": {"difference": self.difference, "sameToken": False},
            "compareTokens": {"same": 0, "of": 4},
        }
        return answers.get(name, {"ok": True, "facts": {}})


class NoFiles(Made):
    """Of nothing."""

    def job(self, name: str, settings: BenchSettings) -> dict[str, Any]:
        return {}


@pytest.mark.parametrize("difference", [math.nan, math.inf])
def test_logits_that_are_no_numbers_do_not_agree_and_are_still_json(
    tmp_path: Path, difference: float
) -> None:
    model = ModelFolder(tmp_path, MANIFEST)
    made = NoFiles(tmp_path, model)
    engines = Engines(Tab(difference), model, made, BenchSettings(), [], lambda _: None)
    for name in ("thistledown", "onnxruntime-web"):
        engines.open_one(name)
    checks = engines.check([ANSWER])
    assert not checks[0]["agrees"]
    assert json.dumps(checks, allow_nan=False)
    rest = {"model": {"title": "", "quantization": ""}, "workloads": [], "engines": [], "left_out": []}
    device = {"vendor": "", "architecture": "", "description": "", "software": False}
    counts = {"phases": [], "dispatches": 0, "barriers": 0, "bytes_bound_total": 0, "weights_and_states": 0}
    result = {**rest, "device": device, "counts": counts, "checks": checks, "gpu_calls": {}, "kernels": None}
    assert "DOES NOT AGREE: largest difference of logits, in parts of the largest logit no number" in table(
        result
    )
