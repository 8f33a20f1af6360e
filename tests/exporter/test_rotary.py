"""Rotary frequencies against transformers' own functions, in every spelling that checkpoints use."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.errors import ConfigError
from exporter.models.config import Config
from exporter.models.rotary import rotary

SIZES = {"hidden_size": 512, "num_attention_heads": 4, "max_position_embeddings": 8192}
LLAMA3 = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 2048,
}
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 2048}

# In units of float32's last place of the frequency before it is stretched: the powers of torch and NumPy differ by up
# to 3, and llama3's blend over a band from f to 1.5 f, the narrowest here, makes three times that.
ULPS = 12


def _expected(config: dict[str, Any], model_type: str = "llama") -> tuple[np.ndarray, float]:
    from transformers import AutoConfig
    from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS
    from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding
    from transformers.models.phi.modeling_phi import PhiRotaryEmbedding

    made = AutoConfig.for_model(model_type, **deepcopy(config))  # it writes into what it is given
    kind = made.rope_parameters["rope_type"]
    whole = LlamaRotaryEmbedding.compute_default_rope_parameters
    default = PhiRotaryEmbedding.compute_default_rope_parameters if model_type == "phi" else whole
    inv_freq, scale = ROPE_INIT_FUNCTIONS.get(kind, default)(made, device="cpu")
    return inv_freq.numpy(), scale


def _theta(config: Mapping[str, Any]) -> np.float32:
    named = (config.get("rope_scaling") or config.get("rope_parameters") or {}).get("rope_theta")
    return np.float32(named or config.get("rope_theta", 10000.0))


def _agrees(config: dict[str, Any], fraction: float | None = None, model_type: str = "llama") -> None:
    head_dim = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
    made = rotary(Config(config), head_dim, config["max_position_embeddings"], fraction)
    inv_freq, scale = _expected(config, model_type)
    base = _theta(config) ** -np.linspace(0, 1, len(inv_freq), endpoint=False, dtype=np.float32)
    assert (np.abs(made.inv_freq - inv_freq) <= ULPS * np.spacing(base)).all()
    assert made.scale == pytest.approx(scale, rel=1e-12)


SPELLINGS: dict[str, Mapping[str, Any]] = {
    "nothing said": {},
    "theta alone": {"rope_theta": 500000.0},
    "null scaling": {"rope_theta": 1000000, "rope_scaling": None},
    "transformers 5": {"rope_parameters": {"rope_type": "default", "rope_theta": 250000.0}},
    "type of old": {"rope_theta": 5e5, "rope_scaling": {"type": "linear", "factor": 2}},
    "llama3 of the hub": {"rope_theta": 5e5, "rope_scaling": LLAMA3},
    "llama3 of transformers 5": {"rope_parameters": {**LLAMA3, "rope_theta": 5e5}},
    "dynamic": {"rope_scaling": {"type": "dynamic", "factor": 3.0}},
    "yarn": {"rope_scaling": YARN, "rope_theta": 1e6},
    "yarn, type of old": {
        "rope_scaling": {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 2048}
    },
    "yarn, trained length left out": {"rope_scaling": {"rope_type": "yarn", "factor": 4.0}},
    "yarn, trained length outside": {"rope_scaling": YARN, "original_max_position_embeddings": 1024},
    "yarn, factor null": {"rope_scaling": {**YARN, "factor": None}},
    "yarn, its own attention factor": {"rope_scaling": {**YARN, "attention_factor": 0.7}},
    "yarn, mscale": {"rope_scaling": {**YARN, "mscale": 1.0, "mscale_all_dim": 0.8}},
    "yarn, betas": {"rope_scaling": {**YARN, "beta_fast": 16, "beta_slow": 2}},
    "yarn, zero betas": {"rope_scaling": {**YARN, "beta_fast": 0, "beta_slow": None}},
    "yarn, not truncated": {"rope_scaling": {**YARN, "truncate": False}},
    "yarn, shrinking": {"rope_scaling": {**YARN, "factor": 0.5}},
    "partial factor not looked at": {"partial_rotary_factor": 0.5},
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_frequencies_are_those_of_transformers(spelling: str) -> None:
    _agrees({**SIZES, **SPELLINGS[spelling]})


@given(
    kind=st.sampled_from(["default", "linear", "dynamic", "llama3", "yarn"]),
    theta=st.floats(1e2, 1e8),
    factor=st.floats(1, 64),
    head_dim=st.integers(1, 16).map(lambda n: 16 * n),
    trained=st.integers(32, 200_000),
    low=st.floats(0.5, 4),
    ratio=st.floats(1.5, 8),
)
@settings(max_examples=60, deadline=None)
def test_any_sensible_numbers_agree(
    kind: str, theta: float, factor: float, head_dim: int, trained: int, low: float, ratio: float
) -> None:
    scaling = {"rope_type": kind, "factor": factor, "original_max_position_embeddings": trained}
    if kind == "llama3":
        scaling |= {"low_freq_factor": low, "high_freq_factor": low * ratio}
    _agrees({**SIZES, "head_dim": head_dim, "rope_theta": theta, "rope_scaling": scaling})


@pytest.mark.parametrize("scaling", [None, {"rope_type": "linear", "factor": 2.0}, YARN])
def test_a_fraction_of_each_head_is_turned(scaling: Mapping[str, Any] | None) -> None:
    config = {**SIZES, "rope_scaling": scaling, "partial_rotary_factor": 0.375}
    _agrees(config, fraction=0.5, model_type="phi")
    assert rotary(Config(config), 128, 8192, fraction=0.5).inv_freq.shape == (24,)
    assert rotary(Config(SIZES), 128, 8192, fraction=0.5).inv_freq.shape == (32,)


def test_dynamic_frequencies_hold_up_to_the_length_of_the_training() -> None:
    assert rotary(Config({"rope_scaling": {"type": "dynamic", "factor": 2}}), 64, 2048).limit == 2048
    assert rotary(Config({}), 64, 2048).limit is None


REFUSED: dict[str, tuple[Mapping[str, Any], tuple[str, ...]]] = {
    "longrope": ({"rope_scaling": {"type": "longrope", "factor": 2}}, ("longrope", "yarn")),
    "su": ({"rope_scaling": {"type": "su"}}, ("su",)),
    "a list": ({"rope_scaling": ["linear", 2]}, ("rope_scaling",)),
    "a kind that is no word": ({"rope_scaling": {"rope_type": 3}}, ("rope_type",)),
    "frequencies for each kind of layer": (
        {"rope_parameters": {"full_attention": {"rope_type": "default"}}},
        ("full_attention",),
    ),
    "theta zero": ({"rope_theta": 0}, ("rope_theta",)),
    "theta text": ({"rope_scaling": {"rope_theta": "1e4"}}, ("rope_theta",)),
    "yarn with theta 1": ({"rope_theta": 1.0, "rope_scaling": YARN}, ("rope_theta",)),
    "yarn with a negative beta": ({"rope_scaling": {**YARN, "beta_fast": -1}}, ("beta_fast",)),
    "yarn with a negative mscale": (
        {"rope_scaling": {**YARN, "mscale": -1.0, "mscale_all_dim": 1.0}},
        ("mscale",),
    ),
    "factor absent": ({"rope_scaling": {"type": "linear"}}, ("factor",)),
    "factor zero": ({"rope_scaling": {"type": "dynamic", "factor": 0}}, ("factor",)),
    "factor that swallows all": ({"rope_scaling": {"type": "dynamic", "factor": 1e38}}, ("finite",)),
    "llama3 without a band": ({"rope_scaling": {**LLAMA3, "high_freq_factor": 1.0}}, ("high_freq_factor",)),
    "trained on nothing": (
        {"rope_scaling": {**YARN, "original_max_position_embeddings": 0}},
        ("original_max",),
    ),
    "heads turned in part": (
        {"partial_rotary_factor": 0.5, "rope_scaling": {"type": "linear", "factor": 2}},
        ("partial_rotary_factor", "whole"),
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_makes_no_frequencies_is_refused(case: str) -> None:
    config, words = REFUSED[case]
    with pytest.raises(ConfigError) as refused:
        rotary(Config(config), 64, 4096)
    assert all(word in str(refused.value) for word in words), refused.value


@pytest.mark.parametrize(("fraction", "word"), [(0.4, "16"), (1.5, "up to 1")])
def test_a_width_that_cannot_be_turned_is_refused(fraction: float, word: str) -> None:
    with pytest.raises(ConfigError, match=word):
        rotary(Config({"partial_rotary_factor": fraction}), 64, 4096, fraction=1.0)
