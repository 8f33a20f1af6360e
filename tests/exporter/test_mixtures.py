"""Named mixtures: which weights get more bits, why, and that they help."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from exporter.__main__ import main
from exporter.errors import SchemeError
from exporter.parity.onnx_runner import OnnxDecoder
from exporter.quantization import TensorFacts, mixture
from tests.tiny_granite import random_ids

FACTS = [
    TensorFacts("table", "tied", 100, 64),
    TensorFacts("0.in_proj", "ssm_in", 300, 64),
    TensorFacts("0.down", "mlp_out", 64, 256),
    TensorFacts("1.qkv", "attention_in", 192, 64),
    TensorFacts("1.router", "router", 8, 64),
    TensorFacts("1.down", "mlp_out", 64, 256),
    TensorFacts("2.down", "mlp_out", 64, 256),
]


def test_mixtures_promote_what_rounding_hurts_and_say_why() -> None:
    mixed = mixture("q4-mixed", FACTS)
    assert {name for name, recipe in mixed.items() if recipe.scheme == "q8"} == {
        "table",
        "0.down",
        "1.qkv",
        "2.down",
    }
    assert all(recipe.reason for recipe in mixed.values() if recipe.scheme != "q4")
    hybrid = mixture("hybrid", FACTS)
    changed = {name: recipe.scheme for name, recipe in hybrid.items() if recipe.scheme != mixed[name].scheme}
    assert changed == {"0.in_proj": "q8", "1.router": "f16"}


def test_a_table_that_is_most_of_the_model_stays_small() -> None:
    large = [TensorFacts("table", "tied", 100_000, 64), *FACTS[1:]]
    assert mixture("q4-mixed", large)["table"].scheme == "q4"


def test_a_name_that_is_nearly_a_mixture_is_suggested() -> None:
    with pytest.raises(SchemeError, match='"q4-mixed"'):
        mixture("q4-mix", [])


def test_a_hybrid_is_exported_and_its_reasons_are_told(
    tiny_granite: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "hybrid"
    assert main(["export", str(tiny_granite()), "-o", str(folder), "--quantize", "hybrid", "--json"]) == 0
    weights = json.loads(capsys.readouterr().out)["weights"]
    reasons = {weight["reason"] for weight in weights if weight["scheme"] == "q8"}
    assert "a recurrence adds up its errors" in reasons
    assert OnnxDecoder(folder).logits(random_ids(3)).shape[0] == 3
