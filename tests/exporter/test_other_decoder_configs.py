"""State-space, mixture-of-experts and LayerNorm decoders: spellings found in the wild, and what is refused by name."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.errors import ConfigError
from exporter.models import Built, architecture
from tests.exporter.test_decoder_configs import JUNK, AnyWeights

_HEADS = {
    "vocab_size": 307,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
}
_MIXER = {"mamba_n_heads": 8, "mamba_d_state": 16}
SIZES: Mapping[str, Mapping[str, Any]] = {
    "mamba2": {
        "vocab_size": 307,
        "hidden_size": 64,
        "num_hidden_layers": 3,
        "num_heads": 8,
        "head_dim": 16,
        "n_groups": 2,
    },
    "bamba": {**_HEADS, **_MIXER, "num_key_value_heads": 1},
    "granitemoehybrid": {**_HEADS, **_MIXER, "num_local_experts": 4, "num_experts_per_tok": 2},
    "phi": _HEADS,
    "gpt_neox": {**_HEADS, "hidden_size": 128},
    "opt": {**_HEADS, "ffn_dim": 96},
}


def _build(model_type: str, weights: AnyWeights | None = None, **config: Any) -> Built:
    whole = {**SIZES[model_type], "model_type": model_type, **config}
    kept = {key: value for key, value in whole.items() if value != "absent"}
    return architecture(kept).build(kept, weights or AnyWeights(), None)


def _operators(built: Built, *names: str) -> list[str]:
    return [node.op_type for node in built.model.graph if node.op_type in names]


SPELLINGS: dict[str, tuple[str, Sequence[str], Sequence[str]]] = {
    "mamba2": ("mamba2", (), ("backbone.embeddings.weight", "backbone.norm_f.weight")),
    "mamba2, first releases": (
        "mamba2",
        ("backbone.embedding.weight",),
        ("backbone.embedding.weight", "backbone.layers.0.norm.weight"),
    ),
    "mamba2, without its head": ("mamba2", ("embeddings.weight",), ("embeddings.weight", "norm_f.weight")),
    "bamba, without its head": ("bamba", ("embed_tokens.weight",), ("final_layernorm.weight",)),
    "granite, the hub's": (
        "granitemoehybrid",
        (),
        tuple(
            f"model.layers.0.block_sparse_moe.{name}.weight"
            for name in ("router.layer", "input_linear", "output_linear")
        ),
    ),
    "gpt_neox, the head of the first releases": ("gpt_neox", (), ("embed_out.weight",)),
    "gpt_neox, the head of transformers 5": ("gpt_neox", ("lm_head.weight",), ("lm_head.weight",)),
    "gpt_neox, without its prefix": ("gpt_neox", ("embed_in.weight",), ("final_layer_norm.weight",)),
    "opt": ("opt", (), ("model.decoder.embed_positions.weight",)),
    "opt, first releases": (
        "opt",
        ("decoder.embed_tokens.weight",),
        ("decoder.embed_positions.weight", "decoder.layers.2.fc1.bias"),
    ),
    "opt, decoder alone": ("opt", ("embed_tokens.weight",), ("embed_positions.weight",)),
}


@pytest.mark.parametrize("case", SPELLINGS)
def test_tensors_are_found_under_the_names_they_are_stored_by(case: str) -> None:
    model_type, stored, wanted = SPELLINGS[case]
    weights = AnyWeights(*stored)
    _build(model_type, weights)
    assert set(wanted) <= set(weights.asked)


KINDS: dict[str, tuple[str, Mapping[str, Any]]] = {
    "bamba, indices": ("bamba", {"attn_layer_indices": [1]}),
    "bamba, the hub's words": ("bamba", {"layers_block_type": ["mamba", "attention", "mamba"]}),
    "bamba, indices before words": (
        "bamba",
        {"attn_layer_indices": [1], "layer_types": ["full_attention"] * 3},
    ),
    "granite, new words": (
        "granitemoehybrid",
        {"layer_types": ["linear_attention", "full_attention", "linear_attention"]},
    ),
}


@pytest.mark.parametrize("case", KINDS)
def test_layers_are_of_the_kinds_that_the_config_tells(case: str) -> None:
    model_type, config = KINDS[case]
    built = _build(model_type, **config)
    assert _operators(built, "SSMScan", "GroupQueryAttention") == [
        "SSMScan",
        "GroupQueryAttention",
        "SSMScan",
    ]


def test_a_state_space_model_has_no_cache_and_no_lengths() -> None:
    built = _build("mamba2")
    assert not _operators(built, "GroupQueryAttention", "ReduceSum", "Shape")
    assert built.context == 4096


def test_granite_has_eight_experts_unless_it_says_otherwise() -> None:
    weights = AnyWeights()
    _build("granitemoehybrid", weights, num_local_experts="absent", num_experts_per_tok="absent")
    assert weights.asked["model.layers.0.block_sparse_moe.output_linear.weight"] == (8, 64, 96)
    assert not _operators(_build("granitemoehybrid", num_local_experts=0), "MoE")


def test_opt_has_biases_and_projections_as_its_config_says() -> None:
    weights = AnyWeights()
    _build("opt", weights, enable_bias=False, word_embed_proj_dim=32)
    assert "model.decoder.layers.0.fc1.bias" not in weights.asked
    assert weights.asked["model.decoder.project_in.weight"] == (64, 32)
    assert weights.asked["model.decoder.project_out.weight"] == (32, 64)
    # Two rows of positions are for padding.
    assert weights.asked["model.decoder.embed_positions.weight"] == (2048 + 2, 64)


REFUSED: dict[str, tuple[str, Mapping[str, Any], tuple[str, ...]]] = {
    "mamba2, heads that do not fit": ("mamba2", {"head_dim": 24}, ("head_dim", "128")),
    "mamba2, groups that do not divide": ("mamba2", {"n_groups": 3}, ("n_groups", "8")),
    "mamba2, another activation": ("mamba2", {"hidden_act": "relu"}, ("hidden_act", "relu")),
    "bamba, another activation": ("bamba", {"hidden_act": "relu"}, ("hidden_act", "relu")),
    "bamba, an unknown kind": ("bamba", {"layer_types": ["mamba", "moe", "mamba"]}, ("layer_types", "moe")),
    "bamba, indices by word": ("bamba", {"attn_layer_indices": ["1"]}, ("attn_layer_indices",)),
    "bamba, half a head too narrow": (
        "bamba",
        {"attn_layer_indices": [1], "num_attention_heads": 4},
        ("8 of the 16",),
    ),
    "granite, more than all experts": (
        "granitemoehybrid",
        {"num_experts_per_tok": 5},
        ("num_experts_per_tok", "4"),
    ),
    "granite, no expert": ("granitemoehybrid", {"num_experts_per_tok": 0}, ("num_experts_per_tok",)),
    "granite, another position embedding": (
        "granitemoehybrid",
        {"position_embedding_type": "alibi"},
        ("position_embedding_type", "alibi"),
    ),
    "phi, norms of queries and keys": ("phi", {"qk_layernorm": True}, ("qk_layernorm",)),
    "phi, a width that is not turned": ("phi", {"partial_rotary_factor": 0.4}, ("12 of the 32",)),
    "gpt_neox, 20 values of a head": (
        "gpt_neox",
        {"hidden_size": 160, "rotary_pct": 0.25},
        ("20 of the 80", "16"),
    ),
    "opt, norms without weights": (
        "opt",
        {"layer_norm_elementwise_affine": False},
        ("layer_norm_elementwise_affine",),
    ),
    "opt, an unknown activation": (
        "opt",
        {"activation_function": "laplace"},
        ("activation_function", "laplace"),
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_config_that_cannot_be_built_is_refused_by_name(case: str) -> None:
    model_type, config, words = REFUSED[case]
    with pytest.raises(ConfigError) as refused:
        _build(model_type, **config)
    assert all(word in str(refused.value) for word in words), refused.value


KEYS = (
    *sorted({key for sizes in SIZES.values() for key in sizes}),
    "attn_layer_indices",
    "layer_types",
    "mamba_d_head",
    "mamba_expand",
    "mamba_d_conv",
    "time_step_limit",
    "shared_intermediate_size",
    "residual_multiplier",
    "logits_scaling",
    "position_embedding_type",
    "layer_norm_eps",
    "layer_norm_epsilon",
    "rotary_pct",
    "rotary_emb_base",
    "rope_parameters",
    "use_parallel_residual",
    "word_embed_proj_dim",
    "max_position_embeddings",
)


@given(
    model_type=st.sampled_from(sorted(SIZES)),
    junk=st.dictionaries(st.sampled_from(KEYS), JUNK, min_size=1, max_size=3),
)
@settings(max_examples=200, deadline=None)
def test_junk_is_built_or_refused_with_the_key(model_type: str, junk: Mapping[str, Any]) -> None:
    try:
        _build(model_type, **junk)
    except ConfigError as refused:
        assert "config.json" in refused.where  # noqa: PT017  # most junk is no error at all
