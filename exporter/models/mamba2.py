"""Mamba-2 (Dao and Gu, arXiv 2405.21060): state-space layers only, no attention and no MLP."""

from collections.abc import Mapping
from typing import Any

from exporter.components import (
    GraphBuilder,
    Mamba2Shape,
    WeightSource,
    head_weight,
    logits,
    mamba2_mixer,
    rms_norm,
    stored_name,
    token_inputs,
)
from exporter.models.architecture import Architecture, Built
from exporter.models.config import Config
from exporter.models.decoders import context_length, layer_count

# A state has no positions: only the buffers of the ids bound a text.
_LONGEST = 1 << 20
_PREFIX = "backbone."
# The first releases say "embedding".
_TABLES = ("embeddings.weight", "embedding.weight")


def _mixer(c: Config, hidden: int, epsilon: float) -> Mamba2Shape:
    heads, head_dim, groups = c.integer("num_heads", 128), c.integer("head_dim", 64), c.integer("n_groups", 8)
    inner = hidden * c.integer("expand", 2)
    if heads * head_dim != inner:
        raise c.bad("head_dim", f"expand * hidden_size / num_heads = {inner} / {heads}")
    if heads % groups:
        raise c.bad("n_groups", f"a divisor of num_heads {heads}")
    c.choice("hidden_act", ["silu", "swish"], "silu")
    dt_min, dt_max = c.limits("time_step_limit", (0.0, float("inf")))
    return Mamba2Shape(
        hidden=hidden,
        heads=heads,
        head_dim=head_dim,
        groups=groups,
        state_size=c.integer("state_size", 128, high=256),
        taps=c.integer("conv_kernel", 4, low=2, high=8),
        epsilon=epsilon,
        conv_bias=c.flag("use_conv_bias", True),
        proj_bias=c.flag("use_bias", False),
        dt_min=dt_min,
        dt_max=dt_max,
    )


def build(config: Mapping[str, Any], weights: WeightSource, context: int | None) -> Built:
    """Inputs input_ids (batch, tokens), attention_mask (batch, past + tokens) int64 and the states; output logits."""
    c = Config(config)
    hidden, vocabulary = c.integer("hidden_size"), c.integer("vocab_size")
    epsilon = c.positive("layer_norm_epsilon", 1e-5)
    mixer = _mixer(c, hidden, epsilon)
    table_name = stored_name(weights, *(_PREFIX + name for name in _TABLES), *_TABLES)
    prefix = _PREFIX if table_name.startswith(_PREFIX) else ""
    g = GraphBuilder("mamba2", weights)
    ids, _ = token_inputs(g)
    table = g.weight(table_name, shape=(vocabulary, hidden))
    x = g.op("Gather", table, ids, axis=0)
    for layer in range(layer_count(c)):
        block = f"{prefix}layers.{layer}"
        with g.scope(f"layers.{layer}"):
            normed = rms_norm(g, x, f"{block}.norm.weight", hidden, epsilon)
            mixed = mamba2_mixer(g, normed, f"{block}.mixer", layer, mixer)
            x = g.op("Add", x, mixed, name="residual")
    x = rms_norm(g, x, f"{prefix}norm_f.weight", hidden, epsilon)
    tied = c.flag("tie_word_embeddings", False)
    head = head_weight(g, weights, "lm_head.weight", table, (vocabulary, hidden), tied)
    logits(g, x, head, vocabulary)
    return Built(g.finish(), context_length(context, _LONGEST), vocabulary)


ARCHITECTURE = Architecture("mamba2", "text-generation", build)
