"""A checkpoint whose layers share their weights, as ALBERT's do, downloads them once and computes the same."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from exporter.__main__ import main
from exporter.report import analyse, measure_artifact, render

Make = Callable[..., Path]
IDS = [5, 80, 7, 300, 41, 6, 6, 90]


@pytest.fixture(scope="module")
def shared(tiny_granite: Make, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four layers with the weights of the first."""
    from safetensors.numpy import load_file, save_file

    folder = tmp_path_factory.mktemp("shared") / "checkpoint"
    shutil.copytree(tiny_granite(layers=("mamba",) * 4), folder)
    weights = load_file(folder / "model.safetensors")
    alike = {name: weights[re.sub(r"layers\.\d+", "layers.0", name)] for name in weights}
    save_file(alike, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def weight_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("*.bin"))


def test_shared_layers_are_stored_and_downloaded_once(
    tiny_granite: Make, artifact: Make, shared: Path
) -> None:
    apart = artifact(tiny_granite(layers=("mamba",) * 4), quantize="f32", context=128)
    once = artifact(shared, quantize="f32", context=128)
    saved = [measure_artifact(folder).saved_by_sharing for folder in (apart, once)]
    # What is saved beside the tied embedding is what the shards have less, but for the room between tensors.
    assert saved[1] - saved[0] == pytest.approx(weight_bytes(apart) - weight_bytes(once), abs=4096)
    assert weight_bytes(once) < weight_bytes(apart) / 2


def test_shared_layers_lie_once_in_gpu_memory(artifact: Make, shared: Path) -> None:
    folder = artifact(shared, quantize="f32", context=128)
    plan = json.loads((folder / "plan.base.json").read_text(encoding="utf-8"))
    assert sum(buffer["bytes"] for buffer in plan["buffers"] if buffer["kind"] == "weight") <= weight_bytes(
        folder
    )


def test_shared_layers_compute_what_transformers_computes(artifact: Make, shared: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    from exporter.parity.onnx_runner import OnnxDecoder

    with torch.no_grad():
        model = AutoModelForCausalLM.from_pretrained(shared)
        theirs = model(torch.tensor([IDS]), use_cache=False).logits[0].numpy()
    ours = OnnxDecoder(artifact(shared, quantize="f32", context=128)).logits(IDS)
    assert np.abs(ours - theirs).max() < 1e-4


def test_the_report_tells_what_a_tied_embedding_saves(
    tiny_granite: Make, artifact: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    tied, untied = (artifact(tiny_granite(tied=tied), quantize="q8", context=512) for tied in (True, False))
    # 512 tokens of 64 channels: a byte each, and two for the scale of 32.
    assert measure_artifact(tied).saved_by_sharing == 512 * 64 + 512 * 2 * 2
    assert measure_artifact(untied).saved_by_sharing == 0
    assert main(["report", str(tied)]) == 0
    assert "34,816 bytes  saved" in capsys.readouterr().out
    for form in ("markdown", "html"):
        assert "stored once, which saves 34,816 bytes" in render(analyse(tied), form)
        assert "saves" not in render(analyse(untied), form)
