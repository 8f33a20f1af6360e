"""OPT (Zhang et al., arXiv 2205.01068): learned positions, LayerNorms before or after the branches, ReLU."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import onnx_ir as ir

from exporter.components import (
    AttentionShape,
    CausalFrame,
    GraphBuilder,
    MlpShape,
    WeightSource,
    causal_frame,
    dense,
    embedding,
    head_weight,
    layer_norm,
    learned_positions,
    logits,
    plain_mlp,
    self_attention,
)
from exporter.models.architecture import Architecture, Built
from exporter.models.config import Config
from exporter.models.decoders import activation_name, attention_shape, context_length, layer_count

# Rows of the table of positions that were meant for padding.
_OFFSET = 2
_EPSILON = 1e-5


@dataclass(frozen=True)
class _Sizes:
    vocabulary: int
    hidden: int
    embedded: int
    positions: int
    attention: AttentionShape
    mlp: MlpShape
    norm_first: bool
    last_norm: bool


def _sizes(c: Config) -> _Sizes:
    if not c.flag("layer_norm_elementwise_affine", True):
        raise c.bad("layer_norm_elementwise_affine", "true: LayerNorms without weights are not supported")
    hidden, bias = c.integer("hidden_size"), c.flag("enable_bias", True)
    norm_first = c.flag("do_layer_norm_before", True)
    return _Sizes(
        vocabulary=c.integer("vocab_size"),
        hidden=hidden,
        embedded=c.integer_or_null("word_embed_proj_dim", None) or hidden,
        positions=c.integer("max_position_embeddings", 2048),
        attention=replace(attention_shape(c, hidden, rope=False), qkv_bias=bias, out_bias=bias),
        mlp=MlpShape(hidden, c.integer("ffn_dim"), activation_name(c, "activation_function", "relu"), bias),
        norm_first=norm_first,
        last_norm=norm_first and not c.flag("_remove_final_layer_norm", False),
    )


def build(config: Mapping[str, Any], weights: WeightSource, context: int | None) -> Built:
    """Inputs input_ids (batch, tokens), attention_mask (batch, past + tokens) int64 and the caches; output logits."""
    c = Config(config)
    s = _sizes(c)
    length = context_length(context, s.positions)
    prefix = _prefix(weights)
    g = GraphBuilder("opt", weights)
    frame = causal_frame(g, None, length)
    table = g.weight(f"{prefix}embed_tokens.weight", shape=(s.vocabulary, s.embedded))
    x = embedding(g, frame, table)
    if s.embedded != s.hidden:
        x = dense(g, x, f"{prefix}project_in", s.hidden, s.embedded, bias=False)
    x = learned_positions(
        g, frame, x, f"{prefix}embed_positions.weight", (s.positions, s.hidden), offset=_OFFSET
    )
    for layer in range(layer_count(c)):
        with g.scope(f"layers.{layer}"):
            x = _layer(g, x, f"{prefix}layers.{layer}", layer, frame, s)
    if s.last_norm:
        x = layer_norm(g, x, f"{prefix}final_layer_norm", s.hidden, _EPSILON)
    if s.embedded != s.hidden:
        x = dense(g, x, f"{prefix}project_out", s.embedded, s.hidden, bias=False)
    tied = c.flag("tie_word_embeddings", True)
    head = head_weight(g, weights, "lm_head.weight", table, (s.vocabulary, s.embedded), tied)
    logits(g, x, head, s.vocabulary)
    return Built(g.finish(), length, s.vocabulary)


def _prefix(weights: WeightSource) -> str:
    """What stands before the names: the first releases were saved without the head's, or with "decoder." only."""
    known = ("model.decoder.", "decoder.", "")
    found = [prefix for prefix in known if f"{prefix}embed_tokens.weight" in weights.tensors]
    return found[0] if found else known[0]


def _layer(g: GraphBuilder, x: ir.Value, prefix: str, layer: int, frame: CausalFrame, s: _Sizes) -> ir.Value:
    def attended(inner: ir.Value) -> ir.Value:
        return self_attention(g, inner, f"{prefix}.self_attn", layer, s.attention, frame, out="out_proj")

    def fed(inner: ir.Value) -> ir.Value:
        return plain_mlp(g, inner, f"{prefix}.fc1", f"{prefix}.fc2", s.mlp)

    for norm, branch in (("self_attn_layer_norm", attended), ("final_layer_norm", fed)):
        if s.norm_first:
            made = branch(layer_norm(g, x, f"{prefix}.{norm}", s.hidden, _EPSILON))
            x = g.op("Add", x, made, name="residual")
        else:
            x = layer_norm(
                g, g.op("Add", x, branch(x), name="residual"), f"{prefix}.{norm}", s.hidden, _EPSILON
            )
    return x


ARCHITECTURE = Architecture("opt", "text-generation", build)
