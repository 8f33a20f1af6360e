"""Phi 1 to 2 (Li et al., arXiv 2309.05463): attention and MLP side by side after one LayerNorm, biases everywhere."""

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
    embedding,
    head_weight,
    layer_norm,
    logits,
    plain_mlp,
    self_attention,
)
from exporter.models.architecture import Architecture, Built
from exporter.models.config import Config
from exporter.models.decoders import (
    activation_name,
    attention_shape,
    context_length,
    layer_count,
    mlp_shape,
    rotary_notes,
    tensor_prefix,
)
from exporter.models.rotary import rotary


@dataclass(frozen=True)
class _Sizes:
    hidden: int
    epsilon: float
    attention: AttentionShape
    mlp: MlpShape


def _sizes(c: Config) -> _Sizes:
    if c.flag("qk_layernorm", False):
        raise c.bad("qk_layernorm", "false: LayerNorms of queries and keys are not supported")
    hidden = c.integer("hidden_size")
    return _Sizes(
        hidden=hidden,
        epsilon=c.positive("layer_norm_eps", 1e-5),
        attention=replace(attention_shape(c, hidden), qkv_bias=True, out_bias=True),
        mlp=mlp_shape(c, hidden, activation_name(c, default="gelu_new"), bias=True),
    )


def build(config: Mapping[str, Any], weights: WeightSource, context: int | None) -> Built:
    """Inputs input_ids (batch, tokens), attention_mask (batch, past + tokens) int64 and the caches; output logits."""
    c = Config(config)
    s, vocabulary = _sizes(c), c.integer("vocab_size")
    longest = c.integer("max_position_embeddings", 2048)
    length = context_length(context, longest)
    turned = rotary(c, s.attention.head_dim, longest, 0.5)
    prefix = tensor_prefix(weights, "embed_tokens.weight", "model.")
    g = GraphBuilder("phi", weights)
    frame = causal_frame(g, turned, length)
    table = g.weight(f"{prefix}embed_tokens.weight", shape=(vocabulary, s.hidden))
    x = embedding(g, frame, table)
    for layer in range(layer_count(c)):
        with g.scope(f"layers.{layer}"):
            x = _layer(g, x, f"{prefix}layers.{layer}", layer, frame, s)
    x = layer_norm(g, x, f"{prefix}final_layernorm", s.hidden, s.epsilon)
    tied = c.flag("tie_word_embeddings", False)
    head = head_weight(g, weights, "lm_head.weight", table, (vocabulary, s.hidden), tied)
    logits(g, x, head, vocabulary, bias=g.weight("lm_head.bias", shape=(vocabulary,)))
    return Built(g.finish(), length, vocabulary, notes=rotary_notes(turned, context))


def _layer(g: GraphBuilder, x: ir.Value, prefix: str, layer: int, frame: CausalFrame, s: _Sizes) -> ir.Value:
    normed = layer_norm(g, x, f"{prefix}.input_layernorm", s.hidden, s.epsilon)
    attended = self_attention(g, normed, f"{prefix}.self_attn", layer, s.attention, frame, out="dense")
    x = g.op("Add", x, attended, name="residual")
    mlp = plain_mlp(g, normed, f"{prefix}.mlp.fc1", f"{prefix}.mlp.fc2", s.mlp)
    return g.op("Add", x, mlp, name="residual")


ARCHITECTURE = Architecture("phi", "text-generation", build)
