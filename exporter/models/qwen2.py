"""Qwen2 and Qwen2.5 (arXiv 2407.10671): Llama with biases on queries, keys and values, and windows on some layers."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from exporter.components import WeightSource
from exporter.models.architecture import Architecture, Built
from exporter.models.config import Config
from exporter.models.decoders import (
    Decoder,
    activation_name,
    attention_shape,
    build_decoder,
    late_windows,
    layer_count,
    mlp_shape,
)
from exporter.models.rotary import rotary


def build(config: Mapping[str, Any], weights: WeightSource, context: int | None) -> Built:
    """The inputs and outputs are those of `build_decoder`."""
    c = Config(config)
    hidden, longest = c.integer("hidden_size"), c.integer("max_position_embeddings", 32768)
    shape = replace(attention_shape(c, hidden, kv_heads=32), qkv_bias=True)
    decoder = Decoder(
        vocabulary=c.integer("vocab_size"),
        longest=longest,
        epsilon=c.positive("rms_norm_eps", 1e-6),
        tied=c.flag("tie_word_embeddings", False),
        attention=shape,
        windows=late_windows(c, layer_count(c)),
        mlp=mlp_shape(c, hidden, activation_name(c)),
        rotary=rotary(c, shape.head_dim, longest),
    )
    return build_decoder("qwen2", decoder, weights, context)


ARCHITECTURE = Architecture("qwen2", "text-generation", build)
