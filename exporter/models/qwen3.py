"""Qwen3 (arXiv 2505.09388): Qwen2 without its biases, and with a norm over each head's query and key."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import onnx_ir as ir

from exporter.components import (
    AttentionShape,
    CausalFrame,
    GraphBuilder,
    WeightSource,
    causal_attention,
    dense,
    packed_qkv,
)
from exporter.models.architecture import Architecture, Built
from exporter.models.config import Config
from exporter.models.decoders import (
    Attend,
    Decoder,
    activation_name,
    attention_shape,
    build_decoder,
    late_windows,
    layer_count,
    mlp_shape,
)
from exporter.models.rotary import rotary
from exporter.ops import DOMAIN


def build(config: Mapping[str, Any], weights: WeightSource, context: int | None) -> Built:
    """The inputs and outputs are those of `build_decoder`."""
    c = Config(config)
    hidden, longest = c.integer("hidden_size"), c.integer("max_position_embeddings", 32768)
    bias, epsilon = c.flag("attention_bias", False), c.positive("rms_norm_eps", 1e-6)
    shape = replace(attention_shape(c, hidden, head_dim=128, kv_heads=32), qkv_bias=bias, out_bias=bias)
    decoder = Decoder(
        vocabulary=c.integer("vocab_size"),
        longest=longest,
        epsilon=epsilon,
        tied=c.flag("tie_word_embeddings", False),
        attention=shape,
        windows=late_windows(c, layer_count(c)),
        mlp=mlp_shape(c, hidden, activation_name(c)),
        rotary=rotary(c, shape.head_dim, longest),
        attend=_attention(epsilon),
    )
    return build_decoder("qwen3", decoder, weights, context)


def _attention(epsilon: float) -> Attend:
    def attend(
        g: GraphBuilder, x: ir.Value, prefix: str, layer: int, s: AttentionShape, frame: CausalFrame
    ) -> ir.Value:
        def normed(part: ir.Value, name: str, heads: int) -> ir.Value:
            weight = g.weight(f"{prefix}.{name}.weight", shape=(s.head_dim,))
            return g.op("HeadRMSNorm", part, weight, domain=DOMAIN, epsilon=epsilon, num_heads=heads)

        q, k, v = packed_qkv(g, x, prefix, s)
        qkv = [normed(q, "q_norm", s.heads), normed(k, "k_norm", s.kv_heads), v]
        y = causal_attention(g, qkv, layer, s, frame)
        return dense(g, y, f"{prefix}.o_proj", s.hidden, s.query_width, bias=s.out_bias)

    return attend


ARCHITECTURE = Architecture("qwen3", "text-generation", build)
