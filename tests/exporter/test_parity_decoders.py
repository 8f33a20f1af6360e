"""Every tiny decoder: onnxruntime and the WebGPU plan (wgpu-py) against transformers in float32."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from exporter.parity.onnx_runner import OnnxDecoder
from exporter.parity.plan_player import PlanPlayer
from exporter.parity.torch_reference import TorchDecoder
from tests.parity_notes import note
from tests.tiny_models import DECODERS, random_ids

Floats = npt.NDArray[np.float32]

LIMIT = 1e-3
SPLIT_LIMIT = 1e-4
GREEDY = 32
# One token, fewer than a conv kernel, an odd one, and more than a tile of 64.
PROMPT_LENGTHS = (1, 3, 7, 70)


@pytest.fixture(scope="module", params=DECODERS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def reference(name: str, tiny_model: Callable[[str], Path]) -> TorchDecoder:
    return TorchDecoder(tiny_model(name))


@pytest.fixture(scope="module")
def folder(name: str, tiny_model: Callable[[str], Path], artifact: Callable[..., Path]) -> Path:
    return artifact(tiny_model(name), quantize="f32")


def _ids(name: str, length: int) -> list[int]:
    return random_ids(length, DECODERS[name].vocabulary)


def _splits(length: int) -> list[list[int]]:
    """The whole, two halves, and token by token."""
    cuts: list[list[int]] = [[length]]
    if length > 1:
        cuts += [[length // 2, length - length // 2], [1] * length]
    return cuts


def _within(limit: float, name: str, runtime: str, got: Floats, expected: Floats) -> bool:
    difference = float(np.abs(got - expected).max())
    note(DECODERS[name].model_type, runtime, name, difference)
    return difference < limit


def test_onnxruntime_gives_the_logits(name: str, folder: Path, reference: TorchDecoder) -> None:
    decoder = OnnxDecoder(folder)
    for length in PROMPT_LENGTHS:
        ids = _ids(name, length)
        expected = reference.logits(ids)
        for split in _splits(length):
            got = decoder.logits(ids, split)
            assert _within(LIMIT, name, "onnxruntime", got, expected), (length, split[:2])
    ids = _ids(name, 9)
    assert decoder.generate(ids, GREEDY) == reference.generate(ids, GREEDY)


@pytest.mark.gpu
def test_the_plan_gives_the_logits(name: str, folder: Path, reference: TorchDecoder) -> None:
    player = PlanPlayer(folder)
    for length in PROMPT_LENGTHS:
        ids = _ids(name, length)
        whole, *others = (player.logits(ids, split) for split in _splits(length))
        assert _within(LIMIT, name, "wgpu-py", whole, reference.logits(ids)[-1]), length
        assert all(np.abs(other - whole).max() < SPLIT_LIMIT for other in others), length
    ids = _ids(name, 9)
    assert player.generate(ids, GREEDY) == reference.generate(ids, GREEDY)
