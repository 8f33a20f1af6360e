"""Llama 1 to 3, TinyLlama, Minitron and their kin (Touvron et al., arXiv 2302.13971)."""

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
    layer_count,
    mlp_shape,
)
from exporter.models.rotary import rotary


def build(config: Mapping[str, Any], weights: WeightSource, context: int | None) -> Built:
    """The inputs and outputs are those of `build_decoder`."""
    c = Config(config)
    hidden, longest = c.integer("hidden_size"), c.integer("max_position_embeddings", 2048)
    bias = c.flag("attention_bias", False)
    shape = replace(attention_shape(c, hidden), qkv_bias=bias, out_bias=bias)
    decoder = Decoder(
        vocabulary=c.integer("vocab_size"),
        longest=longest,
        epsilon=c.positive("rms_norm_eps", 1e-6),
        tied=c.flag("tie_word_embeddings", False),
        attention=shape,
        windows=[0] * layer_count(c),
        mlp=mlp_shape(c, hidden, activation_name(c), bias=c.flag("mlp_bias", False)),
        rotary=rotary(c, shape.head_dim, longest),
    )
    return build_decoder("llama", decoder, weights, context)


ARCHITECTURE = Architecture("llama", "text-generation", build)
