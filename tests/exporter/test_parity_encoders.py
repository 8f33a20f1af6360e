"""Tiny BERT and DistilBERT checkpoints: onnxruntime and the WebGPU plan (wgpu-py) against transformers in float32."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from exporter.parity.onnx_runner import OnnxEncoder
from exporter.parity.plan_player import PlanPlayer
from exporter.parity.torch_reference import Floats, TorchEmbedder, TorchReader
from tests.parity_notes import note
from tests.tiny_encoders import ENCODERS, random_texts

LIMIT = 1e-3
Make = Callable[..., Path]
Texts = list[list[int]]


def _rows(texts: Texts) -> Texts:
    """What fill-mask is asked for: the ends and the middle of each text."""
    return [sorted({0, len(ids) // 2, len(ids) - 1}) for ids in texts]


class Runner:
    """Embeds or reads the same texts in the three ways."""

    def __init__(self, task: str, texts: Texts) -> None:
        self.task, self.texts = task, texts
        self.rows = _rows(texts) if task == "fill-mask" else []

    def torch(self, checkpoint: Path) -> Floats:
        if self.task == "sentence-embedding":
            return TorchEmbedder(checkpoint).embed(self.texts)
        return np.concatenate(TorchReader(checkpoint, self.task).read_texts(self.texts, self.rows))

    def run(self, runner: OnnxEncoder | PlanPlayer) -> Floats:
        if self.task == "sentence-embedding":
            return runner.embed(self.texts)
        return np.concatenate(runner.read_texts(self.texts, self.rows))


def _runner(folder: Path, vocabulary: int) -> Runner:
    task = json.loads((folder / "manifest.json").read_text())["task"]
    return Runner(task, random_texts(vocabulary))


def _within(limit: float, name: str, runtime: str, got: Floats, expected: Floats) -> bool:
    difference = float(np.abs(got - expected).max())
    note(ENCODERS[name].model_type, runtime, name, difference)
    return difference < limit


@pytest.fixture(params=ENCODERS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_onnxruntime_equals_transformers(name: str, tiny_encoder: Make, artifact: Make) -> None:
    checkpoint = tiny_encoder(name)
    folder = artifact(checkpoint, quantize="f32")
    runner = _runner(folder, ENCODERS[name].vocabulary)
    assert _within(LIMIT, name, "onnxruntime", runner.run(OnnxEncoder(folder)), runner.torch(checkpoint))


@pytest.mark.gpu
def test_the_plan_equals_transformers(name: str, tiny_encoder: Make, artifact: Make) -> None:
    checkpoint = tiny_encoder(name)
    folder = artifact(checkpoint, quantize="f32")
    runner = _runner(folder, ENCODERS[name].vocabulary)
    assert _within(LIMIT, name, "wgpu-py", runner.run(PlanPlayer(folder)), runner.torch(checkpoint))


@pytest.mark.gpu
@pytest.mark.parametrize(
    ("name", "tier", "limit"),
    [("bert-classes", "subgroups", LIMIT), ("distilbert-words", "f16", 0.05), ("bert-masked", "f16", 0.05)],
)
def test_the_other_tiers_say_the_same(
    name: str, tiny_encoder: Make, artifact: Make, tier: str, limit: float
) -> None:
    """float16 activations round at 2^-11; logits here are of size 4 to 7."""
    checkpoint = tiny_encoder(name)
    folder = artifact(checkpoint, quantize="f32")
    runner = _runner(folder, ENCODERS[name].vocabulary)
    assert np.abs(runner.run(PlanPlayer(folder, tier)) - runner.torch(checkpoint)).max() < limit


@pytest.mark.gpu
@pytest.mark.parametrize(
    ("name", "scheme"), [("bert-masked", "q8"), ("bert-masked-untied", "q4"), ("distilbert-classes", "f16")]
)
def test_quantized_plans_equal_onnxruntime(
    name: str, tiny_encoder: Make, artifact: Make, scheme: str
) -> None:
    """A tied table is read by rows at the beginning and as the head at the end."""
    folder = artifact(tiny_encoder(name), quantize=scheme)
    runner = _runner(folder, ENCODERS[name].vocabulary)
    assert np.abs(runner.run(PlanPlayer(folder)) - runner.run(OnnxEncoder(folder))).max() < LIMIT


@pytest.mark.gpu
def test_a_table_over_the_binding_limit_is_split_by_rows(tiny_encoder: Make, artifact: Make) -> None:
    """Weights are bound in pieces of at most 70 kB: the table of 307 x 64 float32 is cut in two, at both its uses."""
    source = tiny_encoder("bert-masked")
    whole, cut = (
        PlanPlayer(artifact(source, quantize="f32", **more))
        for more in ({}, {"max_binding": 70_000, "shard_size": 60_000})
    )
    assert len(cut.plan["phases"]["encode"]) == len(whole.plan["phases"]["encode"]) + 2
    runner = Runner("fill-mask", random_texts(307))
    assert np.array_equal(runner.run(cut), runner.run(whole))


@pytest.mark.parametrize("name", ["bert-masked", "distilbert-classes"])
def test_a_body_without_its_prefix_is_read(
    name: str, tiny_encoder: Make, artifact: Make, tmp_path: Path
) -> None:
    from safetensors.numpy import load_file, save_file

    plain = Path(shutil.copytree(tiny_encoder(name), tmp_path / name))
    weights = plain / "model.safetensors"
    bare = {key.removeprefix("bert.").removeprefix("distilbert."): v for key, v in load_file(weights).items()}
    save_file(bare, weights)
    folder = artifact(tiny_encoder(name), quantize="f32")
    runner = _runner(folder, ENCODERS[name].vocabulary)
    bare_folder = artifact(plain, quantize="f32")
    assert np.array_equal(runner.run(OnnxEncoder(bare_folder)), runner.run(OnnxEncoder(folder)))


@pytest.mark.gpu
@pytest.mark.parametrize(("mode", "normalize"), [("cls", True), ("cls", False), ("mean", False)])
def test_poolings_of_sentence_transformers(
    tiny_encoder: Make, artifact: Make, tmp_path: Path, mode: str, normalize: bool
) -> None:
    checkpoint = Path(shutil.copytree(tiny_encoder("bert-embeddings"), tmp_path / mode))
    kinds = ["Transformer", "Pooling", *(["Normalize"] if normalize else [])]
    modules = [{"path": f"{i}_{kind}" if i else "", "type": f"x.{kind}"} for i, kind in enumerate(kinds)]
    (checkpoint / "modules.json").write_text(json.dumps(modules))
    (checkpoint / "1_Pooling").mkdir()
    (checkpoint / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode": mode}))
    folder = artifact(checkpoint, quantize="f32")
    texts = random_texts(ENCODERS["bert-embeddings"].vocabulary)
    expected = TorchEmbedder(checkpoint, mode == "cls", normalize).embed(texts)
    for runner in (OnnxEncoder(folder), PlanPlayer(folder)):
        assert np.abs(runner.embed(texts) - expected).max() < LIMIT
    assert (np.abs(np.linalg.norm(expected, axis=-1) - 1).max() < 1e-5) == normalize
