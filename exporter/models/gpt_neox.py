"""GPT-NeoX and Pythia (Black et al., arXiv 2204.06745): LayerNorms, parallel branches, a quarter of a head turned."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import onnx_ir as ir

from exporter.components import (
    AttentionShape,
    CausalFrame,
    GraphBuilder,
    MlpShape,
    WeightSource,
    causal_attention,
    causal_frame,
    dense,
    embedding,
    head_weight,
    layer_norm,
    linear,
    logits,
    plain_mlp,
    rearranged,
    split,
    stored_name,
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

_PARTS = 3  # query, key and value


@dataclass(frozen=True)
class _Sizes:
    hidden: int
    epsilon: float
    attention: AttentionShape
    mlp: MlpShape
    parallel: bool


def _own_spelling(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The class's names of the rotary keys in the usual ones, which it does not read itself."""
    names = {"rotary_pct": "partial_rotary_factor", "rotary_emb_base": "rope_theta"}
    others = {key: value for key, value in config.items() if key not in names.values()}
    return {**others, **{usual: config[own] for own, usual in names.items() if config.get(own) is not None}}


def _sizes(c: Config) -> _Sizes:
    hidden, bias = c.integer("hidden_size"), c.flag("attention_bias", True)
    return _Sizes(
        hidden=hidden,
        epsilon=c.positive("layer_norm_eps", 1e-5),
        attention=replace(attention_shape(c, hidden), qkv_bias=bias, out_bias=bias),
        mlp=mlp_shape(c, hidden, activation_name(c, default="gelu"), bias=True),
        parallel=c.flag("use_parallel_residual", True),
    )


def build(config: Mapping[str, Any], weights: WeightSource, context: int | None) -> Built:
    """Inputs input_ids (batch, tokens), attention_mask (batch, past + tokens) int64 and the caches; output logits."""
    c = Config(_own_spelling(config))
    s, vocabulary = _sizes(c), c.integer("vocab_size")
    longest = c.integer("max_position_embeddings", 2048)
    length = context_length(context, longest)
    turned = rotary(c, s.attention.head_dim, longest, 0.25)
    prefix = tensor_prefix(weights, "embed_in.weight", "gpt_neox.")
    g = GraphBuilder("gpt_neox", weights)
    frame = causal_frame(g, turned, length)
    table = g.weight(f"{prefix}embed_in.weight", shape=(vocabulary, s.hidden))
    x = embedding(g, frame, table)
    for layer in range(layer_count(c)):
        with g.scope(f"layers.{layer}"):
            x = _layer(g, x, f"{prefix}layers.{layer}", layer, frame, s)
    x = layer_norm(g, x, f"{prefix}final_layer_norm", s.hidden, s.epsilon)
    tied = c.flag("tie_word_embeddings", False)
    # transformers saves the head under the name that the first releases gave it, unless told otherwise.
    name = stored_name(weights, "embed_out.weight", "lm_head.weight")
    head = head_weight(g, weights, name, table, (vocabulary, s.hidden), tied)
    logits(g, x, head, vocabulary)
    return Built(g.finish(), length, vocabulary, notes=rotary_notes(turned, context))


def _layer(g: GraphBuilder, x: ir.Value, prefix: str, layer: int, frame: CausalFrame, s: _Sizes) -> ir.Value:
    normed = layer_norm(g, x, f"{prefix}.input_layernorm", s.hidden, s.epsilon)
    attended = _attention(g, normed, f"{prefix}.attention", layer, frame, s)
    before = x
    x = g.op("Add", x, attended, name="residual")
    normed = layer_norm(
        g, before if s.parallel else x, f"{prefix}.post_attention_layernorm", s.hidden, s.epsilon
    )
    mlp = plain_mlp(g, normed, f"{prefix}.mlp.dense_h_to_4h", f"{prefix}.mlp.dense_4h_to_h", s.mlp)
    return g.op("Add", x, mlp, name="residual")


def _attention(
    g: GraphBuilder, x: ir.Value, prefix: str, layer: int, frame: CausalFrame, s: _Sizes
) -> ir.Value:
    shape, name, rows = s.attention, f"{prefix}.query_key_value", _PARTS * s.hidden
    source = partial(_source, shape)
    weight = rearranged(g, f"{name}.weight", (rows, s.hidden), source)
    bias = rearranged(g, f"{name}.bias", (rows,), source) if shape.qkv_bias else None
    qkv = split(g, linear(g, x, weight, bias), shape.qkv_widths)
    y = causal_attention(g, qkv, layer, shape, frame)
    return dense(g, y, f"{prefix}.dense", s.hidden, shape.query_width, bias=shape.out_bias)


def _source(s: AttentionShape, rows: np.ndarray) -> np.ndarray:
    """Where all queries, then all keys, then all values come from: the tensor has them head by head."""
    part, inside = np.divmod(rows, s.query_width)
    head, row = np.divmod(inside, s.head_dim)
    return np.asarray((head * _PARTS + part) * s.head_dim + row)


ARCHITECTURE = Architecture("gpt_neox", "text-generation", build)
