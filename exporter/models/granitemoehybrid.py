"""Granite 4.0: Mamba-2 and attention layers, a shared MLP with or without experts beside it, NoPE or RoPE."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import onnx_ir as ir

from exporter.components import (
    AttentionShape,
    CausalFrame,
    ExpertsShape,
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
    mixture_of_experts,
    rms_norm,
    scaled,
    self_attention,
    stored_name,
)
from exporter.models.architecture import Architecture, Built
from exporter.models.config import Config
from exporter.models.decoders import (
    attention_shape,
    context_length,
    layer_count,
    rotary_notes,
    tensor_prefix,
)
from exporter.models.hybrids import hybrid_mixer, layer_kinds
from exporter.models.rotary import rotary

# As the hub spells the tensors of a mixture, and as transformers 5 does.
_ROUTERS = ("router.layer.weight", "router.weight")
_GATES_AND_UPS = ("input_linear.weight", "experts.gate_up_proj")
_DOWNS = ("output_linear.weight", "experts.down_proj")


@dataclass(frozen=True)
class _Sizes:
    hidden: int
    vocabulary: int
    kinds: Sequence[str]
    epsilon: float
    tied: bool
    embedding_multiplier: float
    residual_multiplier: float
    logits_scaling: float
    attention: AttentionShape
    mamba: Mamba2Shape | None
    shared: MlpShape
    experts: ExpertsShape | None


def _attention_shape(c: Config, hidden: int) -> AttentionShape:
    bias = c.flag("attention_bias", False)
    shape = attention_shape(c, hidden, rope=_has_rope(c))
    return replace(shape, scale=c.number("attention_multiplier", 1.0), qkv_bias=bias, out_bias=bias)


def _has_rope(c: Config) -> bool:
    return c.choice("position_embedding_type", ["rope", "nope"], "nope") == "rope"


def _experts_shape(c: Config, hidden: int) -> ExpertsShape | None:
    experts = c.integer("num_local_experts", 8, low=0, high=1024)
    if not experts:
        return None
    top = c.integer("num_experts_per_tok", 2)
    if top > experts:
        raise c.bad("num_experts_per_tok", f"at most num_local_experts {experts}")
    return ExpertsShape(hidden, c.integer("intermediate_size"), experts, top)


def _sizes(c: Config) -> _Sizes:
    c.choice("hidden_act", ["silu", "swish"], "silu")
    hidden = c.integer("hidden_size")
    layers, epsilon = layer_count(c), c.positive("rms_norm_eps", 1e-6)
    kinds = layer_kinds(c, layers, ["mamba"] * layers)
    return _Sizes(
        hidden=hidden,
        vocabulary=c.integer("vocab_size"),
        kinds=kinds,
        epsilon=epsilon,
        tied=c.flag("tie_word_embeddings", False),
        embedding_multiplier=c.number("embedding_multiplier", 1.0),
        residual_multiplier=c.number("residual_multiplier", 1.0),
        logits_scaling=c.positive("logits_scaling", 1.0),
        attention=_attention_shape(c, hidden),
        mamba=hybrid_mixer(c, hidden, epsilon) if "mamba" in kinds else None,
        shared=MlpShape(hidden, c.integer("shared_intermediate_size", 1024), "silu"),
        experts=_experts_shape(c, hidden),
    )


def build(config: Mapping[str, Any], weights: WeightSource, context: int | None) -> Built:
    """Inputs input_ids (batch, tokens), attention_mask (batch, past + tokens) int64 and the states; output logits."""
    c = Config(config)
    s = _sizes(c)
    longest = c.integer("max_position_embeddings", 2048)
    length = context_length(context, longest)
    rope = rotary(c, s.attention.head_dim, longest) if _has_rope(c) else None
    g = GraphBuilder("granitemoehybrid", weights)
    frame = causal_frame(g, rope, length)
    prefix = tensor_prefix(weights, "embed_tokens.weight", "model.")
    table = g.weight(f"{prefix}embed_tokens.weight", shape=(s.vocabulary, s.hidden))
    x = embedding(g, frame, table, s.embedding_multiplier)
    for layer, kind in enumerate(s.kinds):
        with g.scope(f"layers.{layer}"):
            x = _layer(g, weights, x, kind, f"{prefix}layers.{layer}", layer, frame, s)
    x = rms_norm(g, x, f"{prefix}norm.weight", s.hidden, s.epsilon)
    head = head_weight(g, weights, "lm_head.weight", table, (s.vocabulary, s.hidden), s.tied)
    logits(g, x, head, s.vocabulary, factor=1.0 / s.logits_scaling)
    return Built(g.finish(), length, s.vocabulary, notes=rotary_notes(rope, context))


def _layer(
    g: GraphBuilder,
    weights: WeightSource,
    x: ir.Value,
    kind: str,
    prefix: str,
    layer: int,
    frame: CausalFrame,
    s: _Sizes,
) -> ir.Value:
    normed = rms_norm(g, x, f"{prefix}.input_layernorm.weight", s.hidden, s.epsilon)
    if kind == "mamba" and s.mamba is not None:
        mixed = mamba2_mixer(g, normed, f"{prefix}.mamba", layer, s.mamba)
    else:
        mixed = self_attention(g, normed, f"{prefix}.self_attn", layer, s.attention, frame)
    x = g.op("Add", x, scaled(g, mixed, s.residual_multiplier), name="residual")
    normed = rms_norm(g, x, f"{prefix}.post_attention_layernorm.weight", s.hidden, s.epsilon)
    mlp = _feed_forward(g, weights, normed, prefix, s)
    return g.op("Add", x, scaled(g, mlp, s.residual_multiplier), name="residual")


def _feed_forward(g: GraphBuilder, weights: WeightSource, x: ir.Value, prefix: str, s: _Sizes) -> ir.Value:
    """The shared MLP, whose last linear adds the experts' output if there are experts: so they come first."""
    mixed = None if s.experts is None else _experts(g, weights, x, prefix, s.experts)
    shared = f"{prefix}.shared_mlp"
    y = gated_mlp(g, x, [f"{shared}.input_linear"], f"{shared}.output_linear", s.shared)
    return y if mixed is None else g.op("Add", mixed, y, name="shared")


def _experts(
    g: GraphBuilder, weights: WeightSource, x: ir.Value, prefix: str, shape: ExpertsShape
) -> ir.Value:
    router, gate_up, down = (
        stored_name(weights, *(f"{prefix}.block_sparse_moe.{name}" for name in spellings))
        for spellings in (_ROUTERS, _GATES_AND_UPS, _DOWNS)
    )
    return mixture_of_experts(g, x, router, gate_up, down, shape)


ARCHITECTURE = Architecture("granitemoehybrid", "text-generation", build)
