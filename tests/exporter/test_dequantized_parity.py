"""Quantized artifacts against transformers with the weights that they store: only rounding parts the two."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from exporter.parity.onnx_runner import OnnxDecoder
from exporter.parity.plan_player import PlanPlayer
from exporter.parity.torch_reference import TorchDecoder
from tests.dequantized import write_dequantized
from tests.tiny_models import DECODERS, random_ids

LIMIT = 1e-3
# Attention, a state-space layer and experts; and the usual decoder.
GRANITE, LLAMA = "granitemoehybrid-experts-nope", "llama-gqa-untied"
CASES = [
    *((GRANITE, scheme) for scheme in ("f16", "q8", "q4", "q4z", "q2")),
    *((LLAMA, scheme) for scheme in ("q8z", "q4", "q2z")),
]
PROMPT = 21
SPLIT = [12, 1, 8]


@pytest.mark.gpu
@pytest.mark.parametrize(("name", "scheme"), CASES)
def test_an_artifact_plays_what_it_stores(
    name: str,
    scheme: str,
    tiny_model: Callable[[str], Path],
    artifact: Callable[..., Path],
    tmp_path: Path,
) -> None:
    folder = artifact(tiny_model(name), quantize=scheme)
    write_dequantized(tmp_path / name, tiny_model(name), folder)
    ids = random_ids(PROMPT, DECODERS[name].vocabulary)
    expected = TorchDecoder(tmp_path / name).logits(ids)
    assert np.abs(expected).max() > 1
    assert np.abs(OnnxDecoder(folder).logits(ids, SPLIT) - expected).max() < LIMIT
    assert np.abs(PlanPlayer(folder).logits(ids, SPLIT) - expected[-1]).max() < LIMIT
