"""Gemma 1 (arXiv 2403.08295): Llama with a GELU gate, embeddings times sqrt(hidden), and norm weights stored less 1."""

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
    require_causal,
)
from exporter.models.rotary import rotary


def build(config: Mapping[str, Any], weights: WeightSource, context: int | None) -> Built:
    """The inputs and outputs are those of `build_decoder`."""
    c = Config(config)
    require_causal(c)
    hidden, longest = c.integer("hidden_size"), c.integer("max_position_embeddings", 8192)
    bias = c.flag("attention_bias", False)
    shape = replace(attention_shape(c, hidden, head_dim=256, kv_heads=16), qkv_bias=bias, out_bias=bias)
    decoder = Decoder(
        vocabulary=c.integer("vocab_size"),
        longest=longest,
        epsilon=c.positive("rms_norm_eps", 1e-6),
        tied=c.flag("tie_word_embeddings", True),
        attention=shape,
        windows=[0] * layer_count(c),
        mlp=mlp_shape(c, hidden, _activation(c)),
        rotary=rotary(c, shape.head_dim, longest),
        embedding_factor=hidden**0.5,
        norm_offset=1.0,
    )
    return build_decoder("gemma", decoder, weights, context)


def _activation(c: Config) -> str:
    """Releases say "gelu" and mean its tanh form; `hidden_activation` beside it is not looked at."""
    named = activation_name(c, default="gelu_pytorch_tanh")
    return "gelu_pytorch_tanh" if named == "gelu" else named


ARCHITECTURE = Architecture("gemma", "text-generation", build, float16_activations=False)
