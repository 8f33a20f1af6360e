"""Gemma 2 (arXiv 2408.00118): Gemma with soft caps, windows on every other layer, and norms after the branches."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from exporter.components import AttentionShape, WeightSource
from exporter.models.architecture import Architecture, Built
from exporter.models.config import Config
from exporter.models.decoders import (
    Decoder,
    activation_name,
    attention_shape,
    build_decoder,
    layer_count,
    mlp_shape,
    require_causal,
    sliding_windows,
)
from exporter.models.rotary import rotary


def _attention(c: Config, hidden: int) -> AttentionShape:
    bias = c.flag("attention_bias", False)
    return replace(
        attention_shape(c, hidden, head_dim=256, kv_heads=4),
        scale=c.positive("query_pre_attn_scalar", 256) ** -0.5,
        softcap=c.number_or_null("attn_logit_softcapping", 50.0) or 0.0,
        qkv_bias=bias,
        out_bias=bias,
    )


def _windows(c: Config) -> list[int]:
    layers = layer_count(c)
    parity = ["full_attention" if layer % 2 else "sliding_attention" for layer in range(layers)]
    return sliding_windows(c, layers, c.integer_or_null("sliding_window", 4096), parity)


def build(config: Mapping[str, Any], weights: WeightSource, context: int | None) -> Built:
    """The inputs and outputs are those of `build_decoder`."""
    c = Config(config)
    require_causal(c)
    hidden, longest = c.integer("hidden_size"), c.integer("max_position_embeddings", 8192)
    shape = _attention(c, hidden)
    decoder = Decoder(
        vocabulary=c.integer("vocab_size"),
        longest=longest,
        epsilon=c.positive("rms_norm_eps", 1e-6),
        tied=c.flag("tie_word_embeddings", True),
        attention=shape,
        windows=_windows(c),
        mlp=mlp_shape(c, hidden, activation_name(c, "hidden_activation", "gelu_pytorch_tanh")),
        rotary=rotary(c, shape.head_dim, longest),
        embedding_factor=hidden**0.5,
        norm_offset=1.0,
        branch_norms=True,
        logit_cap=c.number_or_null("final_logit_softcapping", 30.0) or 0.0,
    )
    return build_decoder("gemma2", decoder, weights, context)


ARCHITECTURE = Architecture("gemma2", "text-generation", build, float16_activations=False)
