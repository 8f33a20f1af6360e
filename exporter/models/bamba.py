"""Bamba: Mamba-2 and attention layers, each followed by a gated MLP; attention turns half of each head."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import onnx_ir as ir

from exporter.components import (
    AttentionShape,
    CausalFrame,
    GraphBuilder,
    Mamba2Shape,
    MlpShape,
    WeightSource,
    causal_frame,
    embedding,
    gated_mlp,
    head_weight,
    logits,
    mamba2_mixer,
    rms_norm,
    self_attention,
)
from exporter.models.architecture import Architecture, Built
from exporter.models.config import Config
from exporter.models.decoders import (
    attention_shape,
    context_length,
    layer_count,
    mlp_shape,
    rotary_notes,
    tensor_prefix,
)
from exporter.models.hybrids import hybrid_mixer, layer_kinds
from exporter.models.rotary import rotary

# The class sets it, whatever the config says.
_TURNED_FRACTION = 0.5


@dataclass(frozen=True)
class _Sizes:
    hidden: int
    kinds: Sequence[str]
    epsilon: float
    attention: AttentionShape
    mlp: MlpShape
    mixer: Mamba2Shape


def _kinds(c: Config) -> Sequence[str]:
    """From `attn_layer_indices` where the key is there; else the kinds that a config lists."""
    layers, attending = layer_count(c), c.integers("attn_layer_indices", [])
    by_index = ["attention" if layer in attending else "mamba" for layer in range(layers)]
    return by_index if c.has("attn_layer_indices") else layer_kinds(c, layers, by_index)


def _sizes(c: Config) -> _Sizes:
    hidden, epsilon = c.integer("hidden_size"), c.positive("rms_norm_eps", 1e-5)
    bias = c.flag("attention_bias", False)
    attention = replace(attention_shape(c, hidden, kv_heads=8), qkv_bias=bias, out_bias=bias)
    return _Sizes(
        hidden=hidden,
        kinds=_kinds(c),
        epsilon=epsilon,
        attention=attention,
        # The class gives it to the mixer, too, whose convolution knows silu only.
        mlp=mlp_shape(c, hidden, c.choice("hidden_act", ["silu"], "silu"), bias=c.flag("mlp_bias", False)),
        mixer=hybrid_mixer(c, hidden, epsilon),
    )


def build(config: Mapping[str, Any], weights: WeightSource, context: int | None) -> Built:
    """Inputs input_ids (batch, tokens), attention_mask (batch, past + tokens) int64 and the states; output logits."""
    c = Config({**config, "partial_rotary_factor": _TURNED_FRACTION})
    s, vocabulary = _sizes(c), c.integer("vocab_size")
    longest = c.integer("max_position_embeddings", 262144)
    length = context_length(context, longest)
    turned = rotary(c, s.attention.head_dim, longest, _TURNED_FRACTION)
    prefix = tensor_prefix(weights, "embed_tokens.weight", "model.")
    g = GraphBuilder("bamba", weights)
    frame = causal_frame(g, turned, length)
    table = g.weight(f"{prefix}embed_tokens.weight", shape=(vocabulary, s.hidden))
    x = embedding(g, frame, table)
    for layer, kind in enumerate(s.kinds):
        with g.scope(f"layers.{layer}"):
            x = _layer(g, x, kind, f"{prefix}layers.{layer}", layer, frame, s)
    x = rms_norm(g, x, f"{prefix}final_layernorm.weight", s.hidden, s.epsilon)
    tied = c.flag("tie_word_embeddings", False)
    head = head_weight(g, weights, "lm_head.weight", table, (vocabulary, s.hidden), tied)
    logits(g, x, head, vocabulary)
    return Built(g.finish(), length, vocabulary, notes=rotary_notes(turned, context))


def _layer(
    g: GraphBuilder, x: ir.Value, kind: str, prefix: str, layer: int, frame: CausalFrame, s: _Sizes
) -> ir.Value:
    normed = rms_norm(g, x, f"{prefix}.input_layernorm.weight", s.hidden, s.epsilon)
    if kind == "attention":
        mixed = self_attention(g, normed, f"{prefix}.self_attn", layer, s.attention, frame)
    else:
        mixed = mamba2_mixer(g, normed, f"{prefix}.mamba", layer, s.mixer)
    x = g.op("Add", x, mixed, name="residual")
    normed = rms_norm(g, x, f"{prefix}.pre_ff_layernorm.weight", s.hidden, s.epsilon)
    up = [f"{prefix}.feed_forward.{part}_proj" for part in ("gate", "up")]
    mlp = gated_mlp(g, normed, up, f"{prefix}.feed_forward.down_proj", s.mlp)
    return g.op("Add", x, mlp, name="residual")


ARCHITECTURE = Architecture("bamba", "text-generation", build)
