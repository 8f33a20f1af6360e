"""Mistral (Jiang et al., arXiv 2310.06825): Llama with a sliding window over all layers, or those of `layer_types`."""

from collections.abc import Mapping
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
    sliding_windows,
)
from exporter.models.rotary import rotary


def build(config: Mapping[str, Any], weights: WeightSource, context: int | None) -> Built:
    """The inputs and outputs are those of `build_decoder`."""
    c = Config(config)
    hidden, longest = c.integer("hidden_size"), c.integer("max_position_embeddings", 131072)
    # null is no window, as in all releases since 0.2; without the key the class takes 4096.
    window, layers = c.integer_or_null("sliding_window", 4096), layer_count(c)
    usual = ["full_attention" if window is None else "sliding_attention"] * layers
    shape = attention_shape(c, hidden, kv_heads=8)
    decoder = Decoder(
        vocabulary=c.integer("vocab_size"),
        longest=longest,
        epsilon=c.positive("rms_norm_eps", 1e-6),
        tied=c.flag("tie_word_embeddings", False),
        attention=shape,
        windows=sliding_windows(c, layers, window, usual),
        mlp=mlp_shape(c, hidden, activation_name(c)),
        rotary=rotary(c, shape.head_dim, longest),
    )
    return build_decoder("mistral", decoder, weights, context)


ARCHITECTURE = Architecture("mistral", "text-generation", build)
