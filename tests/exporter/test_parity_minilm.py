"""The real MiniLM checkpoint: onnxruntime and the WebGPU plan (wgpu-py) against transformers in float32."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from exporter.parity.onnx_runner import OnnxEncoder
from exporter.parity.plan_player import PlanPlayer
from exporter.parity.torch_reference import Floats, TorchEmbedder
from tests.sentences import FLOORS, token_ids

SCHEMES = tuple(FLOORS)
Artifact = Callable[..., Path]


@pytest.fixture(scope="module")
def texts(minilm_checkpoint: Path) -> list[list[int]]:
    return token_ids(minilm_checkpoint)


@pytest.fixture(scope="module")
def reference(minilm_checkpoint: Path, texts: list[list[int]]) -> Floats:
    return TorchEmbedder(minilm_checkpoint).embed(texts)


def _cosines(a: Floats, b: Floats) -> Floats:
    return np.asarray(np.sum(a.astype(np.float64) * b, axis=-1), np.float32)


def _in_plays(player: PlanPlayer, texts: list[list[int]]) -> Floats:
    """Packs texts into as few plays as the plan's token count allows."""
    rows: list[Floats] = []
    batch: list[list[int]] = []
    for ids in [*texts, None]:
        if ids is None or sum(map(len, batch)) + len(ids) > player.plan["symbols"]["tokens"]:
            rows.append(player.embed(batch))
            batch = []
        if ids is not None:
            batch.append(ids)
    return np.concatenate(rows)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_onnxruntime_equals_transformers(
    artifact: Artifact, texts: list[list[int]], reference: Floats, scheme: str
) -> None:
    found = OnnxEncoder(artifact("minilm", quantize=scheme, context=512)).embed(texts)
    cosines = _cosines(found, reference)
    print(f"{scheme}: lowest cosine {cosines.min():.6f}, mean {cosines.mean():.6f}")
    assert cosines.min() >= FLOORS[scheme]


@pytest.mark.gpu
@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_plan_equals_transformers(
    artifact: Artifact, texts: list[list[int]], reference: Floats, scheme: str
) -> None:
    folder = artifact("minilm", quantize=scheme, context=512)
    found = _in_plays(PlanPlayer(folder), texts)
    assert _cosines(found, reference).min() >= FLOORS[scheme]
    onnx = OnnxEncoder(folder).embed(texts)
    assert np.abs(found - onnx).max() < 2e-5


@pytest.mark.gpu
@pytest.mark.parametrize(("tier", "floor"), [("subgroups", 0.99999), ("f16", 0.9999)])
def test_the_other_tiers_say_the_same(
    artifact: Artifact, texts: list[list[int]], reference: Floats, tier: str, floor: float
) -> None:
    player = PlanPlayer(artifact("minilm", quantize="f32", context=512), tier)
    found = _in_plays(player, texts[:12] + texts[-1:])
    assert _cosines(found, np.concatenate([reference[:12], reference[-1:]])).min() >= floor
