"""Rows of llama, mistral, qwen2, gemma, gemma2 and their kin."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from tests.tiny_models.checkpoint import Tensors, TinyModel

# Weights are larger than the usual ones, so that scores and logits are, and every cap, window and scale shows.
_SIZES: Mapping[str, object] = {
    "initializer_range": 0.3,
    "vocab_size": 307,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 16,
    "max_position_embeddings": 256,
}


def _row(model_type: str, variant: str, **config: object) -> TinyModel:
    return TinyModel(model_type, variant, {**_SIZES, **config})


def _without_prefix(tensors: Tensors) -> Tensors:
    """As saved from the model without its head."""
    return {name.removeprefix("model."): array for name, array in tensors.items()}


def _with_leftovers(tensors: Tensors) -> Tensors:
    """A copy of the tied head, and the buffers that were stored until 2023."""
    buffers = {f"model.layers.{i}.self_attn.rotary_emb.inv_freq": np.ones(8, np.float32) for i in range(2)}
    return {**tensors, **buffers, "lm_head.weight": tensors["model.embed_tokens.weight"].copy()}


_LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 500000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
_YARN = {"rope_type": "yarn", "rope_theta": 10000.0, "factor": 4.0, "original_max_position_embeddings": 64}

LLAMA_FAMILY: tuple[TinyModel, ...] = (
    # The head is its own, though config.json says that it is tied: what is stored counts.
    replace(
        _row(
            "llama",
            "gqa-untied",
            hidden_size=64,
            intermediate_size=96,
            num_attention_heads=4,
            num_key_value_heads=2,
            tie_word_embeddings=False,
        ),
        rewrite={"tie_word_embeddings": True},
    ),
    # The hub's spelling of rotary frequencies.
    replace(
        _row("llama", "tied-llama3", tie_word_embeddings=True, rope_parameters=_LLAMA3),
        rewrite={
            "rope_parameters": None,
            "rope_theta": 500000.0,
            "rope_scaling": {key: value for key, value in _LLAMA3.items() if key != "rope_theta"},
        },
        restore=_with_leftovers,
    ),
    _row("llama", "wide-heads-biased", head_dim=32, attention_bias=True, mlp_bias=True),
    replace(
        _row("llama", "mha-yarn", num_key_value_heads=2, rope_parameters=_YARN, tie_word_embeddings=True),
        restore=_without_prefix,
    ),
    _row(
        "llama",
        "linear",
        num_hidden_layers=1,
        hidden_act="gelu",
        rope_parameters={"rope_type": "linear", "rope_theta": 10000.0, "factor": 3.0},
    ),
    _row(
        "llama",
        "dynamic",
        num_hidden_layers=1,
        hidden_act="relu",
        rope_parameters={"rope_type": "dynamic", "rope_theta": 10000.0, "factor": 2.0},
    ),
    _row("mistral", "window", sliding_window=5),
    _row("mistral", "no-window", sliding_window=None, num_attention_heads=4, num_key_value_heads=2),
    _row("qwen2", "tied", tie_word_embeddings=True),
    _row("qwen2", "window", use_sliding_window=True, sliding_window=7, max_window_layers=1),
    # The first releases name the activation twice, and wrongly.
    replace(_row("gemma", "mqa", head_dim=32), rewrite={"hidden_act": "gelu", "hidden_activation": None}),
    _row(
        "gemma2",
        "caps",
        sliding_window=6,
        query_pre_attn_scalar=24,
        attn_logit_softcapping=3.0,
        tie_word_embeddings=False,
    ),
    _row(
        "gemma2",
        "layer-types",
        sliding_window=6,
        layer_types=["full_attention", "sliding_attention"],
        attn_logit_softcapping=None,
    ),
    _row("qwen3", "head-norms", num_key_value_heads=2, num_attention_heads=4),
)
