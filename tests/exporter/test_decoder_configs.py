"""Configs of text generators: what absent keys mean, and what is refused by name before a weight is read."""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.errors import ConfigError
from exporter.models import Built, architecture

SIZES = {
    "vocab_size": 307,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 16,
}

FAMILY = ("llama", "mistral", "qwen2", "qwen3", "gemma", "gemma2")
KEYS = (
    *SIZES,
    "max_position_embeddings",
    "rms_norm_eps",
    "hidden_act",
    "hidden_activation",
    "tie_word_embeddings",
    "attention_bias",
    "mlp_bias",
    "sliding_window",
    "use_sliding_window",
    "max_window_layers",
    "layer_types",
    "query_pre_attn_scalar",
    "attn_logit_softcapping",
    "final_logit_softcapping",
    "rope_theta",
    "rope_scaling",
    "rope_parameters",
    "partial_rotary_factor",
    "original_max_position_embeddings",
)
ROPE_JUNK = (
    "default",
    "linear",
    "dynamic",
    "llama3",
    "yarn",
    "",
    None,
    0,
    1,
    -2.5,
    1e-30,
    1e38,
    math.nan,
    [],
    "x",
)


class AnyWeights:
    """Has every tensor in the shape that is asked for, and notes which were; `tensors` are those it says it has."""

    def __init__(self, *tensors: str) -> None:
        self.tensors = dict.fromkeys(tensors)
        self.asked: dict[str, tuple[int, ...]] = {}

    def require(self, name: str, shape: tuple[int, ...]) -> None:
        self.asked[name] = shape

    def read(self, name: str) -> np.ndarray:
        raise AssertionError(f"{name} was read while the graph was built")

    def read_rows(self, name: str, start: int, stop: int) -> np.ndarray:
        return self.read(name)


def _build(
    model_type: str, context: int | None = None, weights: AnyWeights | None = None, **config: Any
) -> Built:
    whole = {**SIZES, "model_type": model_type, **config}
    kept = {key: value for key, value in whole.items() if value != "absent"}
    return architecture(kept).build(kept, weights or AnyWeights(), context)


def _windows(built: Built) -> list[int]:
    nodes = [node for node in built.model.graph if node.op_type == "GroupQueryAttention"]
    return [node.attributes["local_window_size"].as_int() for node in nodes]


WINDOWS: dict[str, tuple[str, Mapping[str, Any], list[int]]] = {
    "mistral, 4096 where the key is absent": ("mistral", {}, [4096] * 3),
    "mistral, null": ("mistral", {"sliding_window": None}, [-1] * 3),
    "mistral, longer than the context": ("mistral", {"sliding_window": 9000}, [-1] * 3),
    "mistral, by name": (
        "mistral",
        {"sliding_window": 64, "layer_types": ["full_attention", "sliding_attention", "full_attention"]},
        [-1, 64, -1],
    ),
    "qwen2, not used": ("qwen2", {"sliding_window": 64, "max_window_layers": 0}, [-1] * 3),
    "qwen2, late layers": (
        "qwen2",
        {"use_sliding_window": True, "sliding_window": 64, "max_window_layers": 2},
        [-1, -1, 64],
    ),
    "qwen2, by name": (
        "qwen2",
        {
            "use_sliding_window": True,
            "sliding_window": 64,
            "layer_types": ["sliding_attention", "full_attention", "full_attention"],
        },
        [64, -1, -1],
    ),
    "gemma2, every other": ("gemma2", {"sliding_window": 64}, [64, -1, 64]),
}


@pytest.mark.parametrize("case", WINDOWS)
def test_layers_see_through_the_windows_that_their_class_takes(case: str) -> None:
    model_type, config, expected = WINDOWS[case]
    assert _windows(_build(model_type, 8192, **{"max_position_embeddings": 8192, **config})) == expected


@pytest.mark.parametrize(
    ("asked", "longest", "context"), [(None, 131072, 4096), (None, 2048, 2048), (64, 2048, 64)]
)
def test_the_context_is_4096_or_what_the_checkpoint_has(
    asked: int | None, longest: int, context: int
) -> None:
    assert _build("llama", asked, max_position_embeddings=longest).context == context


def test_the_user_is_told_where_dynamic_frequencies_end_the_context() -> None:
    config = {"rope_scaling": {"type": "dynamic", "factor": 2}, "max_position_embeddings": 2048}
    built = _build("llama", None, **config)
    assert built.context == 2048
    assert "2048" in built.notes[0]
    assert _build("llama", 512, **config).notes == ()


def test_heads_may_be_wider_than_the_stream() -> None:
    weights = AnyWeights()
    _build("llama", weights=weights, num_attention_heads=4, num_key_value_heads=2, head_dim=64)
    asked = {name.removeprefix("model.layers.0.self_attn."): shape for name, shape in weights.asked.items()}
    assert asked["q_proj.weight"] == (256, 32)
    assert asked["k_proj.weight"] == (128, 32)
    assert asked["o_proj.weight"] == (32, 256)


def test_a_tied_model_asks_for_no_head_and_an_untied_one_does() -> None:
    for tied in (True, False):
        weights = AnyWeights()
        _build("llama", weights=weights, tie_word_embeddings=tied)
        assert ("lm_head.weight" in weights.asked) is not tied


def test_any_activation_may_be_the_gate() -> None:
    built = _build("gemma2", hidden_activation="gelu")
    assert [node.op_type for node in built.model.graph if node.op_type in ("Gelu", "GeluGate")] == [
        "Gelu"
    ] * 3


@pytest.mark.parametrize(
    ("name", "fits"), [("llama-dynamic", True), ("gemma-mqa", False), ("gemma2-caps", False)]
)
def test_activations_that_pass_float16_are_never_kept_in_it(
    tiny_model: Callable[[str], Path], artifact: Callable[..., Path], name: str, fits: bool
) -> None:
    assert (artifact(tiny_model(name), quantize="f32") / "plan.f16.json").exists() is fits


REFUSED: dict[str, tuple[str, Mapping[str, Any], tuple[str, ...]]] = {
    "no layers key": ("llama", {"num_hidden_layers": "absent"}, ("num_hidden_layers",)),
    "a million layers": ("llama", {"num_hidden_layers": 10**6}, ("num_hidden_layers", "1000")),
    "more words than can be": ("llama", {"vocab_size": 1 << 40}, ("vocab_size",)),
    "hidden size a fraction": ("mistral", {"hidden_size": 32.5}, ("hidden_size", "32.5")),
    "heads true": ("qwen2", {"num_attention_heads": True}, ("num_attention_heads",)),
    "heads in no groups": (
        "llama",
        {"num_attention_heads": 3, "num_key_value_heads": 2},
        ("num_key_value_heads", "3"),
    ),
    "heads of 24": ("llama", {"head_dim": 24}, ("head_dim", "16", "24")),
    "heads too wide": ("gemma", {"head_dim": 512}, ("head_dim", "256")),
    "an unknown activation": ("llama", {"hidden_act": "laplace"}, ("hidden_act", "laplace", "silu")),
    "gemma2's activation": ("gemma2", {"hidden_activation": "xielu"}, ("hidden_activation", "xielu")),
    "a window of nothing": ("mistral", {"sliding_window": 0}, ("sliding_window",)),
    "windows without a width": (
        "gemma2",
        {"sliding_window": None},
        ("sliding_window", "layer_types"),
    ),
    "windows that are not used": (
        "qwen2",
        {"use_sliding_window": False, "layer_types": ["sliding_attention"] * 3},
        ("sliding_window",),
    ),
    "an unknown kind of layer": ("gemma2", {"layer_types": ["chunked_attention"] * 3}, ("layer_types",)),
    "mistral, an unknown kind of layer": (
        "mistral",
        {"layer_types": ["chunked_attention"] * 3},
        ("layer_types",),
    ),
    "mistral, too few layer types": ("mistral", {"layer_types": ["full_attention"]}, ("layer_types", "3")),
    "one position": ("mistral", {"max_position_embeddings": 1}, ("positions for 1",)),
    "too few layer types": ("qwen2", {"layer_types": ["full_attention"]}, ("layer_types", "3")),
    "a soft cap below zero": ("gemma2", {"attn_logit_softcapping": -50}, ("attn_logit_softcapping",)),
    "scores scaled by nothing": ("gemma2", {"query_pre_attn_scalar": 0}, ("query_pre_attn_scalar",)),
    "a classifier": (
        "gemma",
        {"architectures": ["GemmaForSequenceClassification"]},
        ("GemmaForSequenceClassification", "text-generation"),
    ),
    "attention both ways": ("gemma", {"use_bidirectional_attention": True}, ("use_bidirectional_attention",)),
    "biases by word": ("llama", {"attention_bias": "yes"}, ("attention_bias", "true or false")),
    "rotary frequencies of another kind": (
        "qwen2",
        {"rope_scaling": {"type": "longrope", "short_factor": [1]}},
        ("longrope",),
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_config_that_cannot_be_built_is_refused_by_name(case: str) -> None:
    model_type, config, words = REFUSED[case]
    with pytest.raises(ConfigError) as refused:
        _build(model_type, **config)
    assert all(word in str(refused.value) for word in words), refused.value


JUNK = st.sampled_from(
    [
        None,
        True,
        False,
        -1,
        0,
        1,
        3,
        1e-30,
        1e38,
        10**400,
        math.nan,
        math.inf,
        "",
        "silu",
        "auto",
        [],
        [1],
        [None],
        {},
    ]
) | st.dictionaries(
    st.sampled_from(["type", "rope_type", "factor", "rope_theta"]), st.sampled_from(ROPE_JUNK)
)


@given(
    model_type=st.sampled_from(FAMILY),
    junk=st.dictionaries(st.sampled_from(KEYS), JUNK, min_size=1, max_size=3),
)
@settings(max_examples=200, deadline=None)
def test_junk_is_built_or_refused_with_the_key(model_type: str, junk: Mapping[str, Any]) -> None:
    try:
        _build(model_type, **junk)
    except ConfigError as refused:
        assert "config.json" in refused.where  # noqa: PT017  # most junk is no error at all
