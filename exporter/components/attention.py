"""Causal attention with a cache, as a block: packed projections, GroupQueryAttention, the output projection."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnx_ir as ir

from exporter.components.graph import MICROSOFT, GraphBuilder
from exporter.components.layers import dense, dense_stack, split
from exporter.ops import DOMAIN


@dataclass(frozen=True)
class Rotary:
    """Rotary frequencies (n,) float32, for the first 2 n values of each head, and the factor on cos and sin.

    `limit`: they hold for that many positions, and would be others in a longer text; None: for any number.
    """

    inv_freq: np.ndarray
    scale: float = 1.0
    limit: int | None = None


@dataclass(frozen=True)
class CausalFrame:
    """What a text generator is given, ids (batch, tokens) and mask (batch, past + tokens) int64, and what every
    causal attention needs: lengths for the operator, and rotary tables if any.
    """

    ids: ir.Value
    mask: ir.Value
    seqlens_k: ir.Value
    total: ir.Value
    cos: ir.Value | None = None
    sin: ir.Value | None = None


def token_inputs(g: GraphBuilder) -> tuple[ir.Value, ir.Value]:
    """Declares input_ids (batch, tokens) and attention_mask (batch, past + tokens), int64."""
    ids = g.input("input_ids", ir.DataType.INT64, ["batch", "tokens"])
    return ids, g.input("attention_mask", ir.DataType.INT64, ["batch", "total"])


def causal_frame(g: GraphBuilder, rotary: Rotary | None, length: int) -> CausalFrame:
    """Declares input_ids and attention_mask; lengths from the mask, and a rotary table for `length` positions."""
    ids, mask = token_inputs(g)
    with g.scope("frame"):
        axis = g.constant("frame.axis", np.array([1], np.int64))
        one = g.constant("frame.one", np.array(1, np.int64))
        lengths = g.op("ReduceSum", mask, axis, keepdims=0)
        seqlens_k = g.op("Cast", g.op("Sub", lengths, one), to=ir.DataType.INT32.value)
        width = g.op("Squeeze", g.op("Shape", mask, start=1, end=2))
        total = g.op("Cast", width, to=ir.DataType.INT32.value)
        seqlens_k.name, total.name = "seqlens_k", "total_sequence_length"
        if rotary is None:
            return CausalFrame(ids, mask, seqlens_k, total)
        table = g.constant("rotary.inv_freq", rotary.inv_freq.astype(np.float32))
        cos, sin = g.ops("RotaryTable", [table], 2, domain=DOMAIN, length=length, scale=rotary.scale)
    return CausalFrame(ids, mask, seqlens_k, total, cos, sin)


def positions(g: GraphBuilder, frame: CausalFrame) -> ir.Value:
    """position_ids (tokens,) int64: past, past + 1, ... For models whose positions are rows of a table."""
    with g.scope("frame"):
        one = g.constant("frame.one", np.array(1, np.int64))
        tokens = g.op("Squeeze", g.op("Shape", frame.ids, start=1, end=2))
        total = g.op("Squeeze", g.op("Shape", frame.mask, start=1, end=2))
        made = g.op("Range", g.op("Sub", total, tokens), total, one)
        made.name = "position_ids"
    return made


@dataclass(frozen=True)
class AttentionShape:
    """Sizes of a grouped-query attention over x (batch, tokens, hidden), and what is done with its scores.

    `scale` is the factor on the scores; `softcap` c makes them c * tanh(score / c), 0 leaves them.
    `window` w lets token i see the keys j with i - w < j <= i, 0 all up to i.
    """

    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    scale: float
    softcap: float = 0.0
    window: int = 0
    qkv_bias: bool = False
    out_bias: bool = False

    @property
    def query_width(self) -> int:
        return self.heads * self.head_dim

    @property
    def kv_width(self) -> int:
        return self.kv_heads * self.head_dim

    @property
    def qkv_widths(self) -> list[int]:
        return [self.query_width, self.kv_width, self.kv_width]


def self_attention(
    g: GraphBuilder,
    x: ir.Value,
    prefix: str,
    layer: int,
    shape: AttentionShape,
    frame: CausalFrame,
    out: str = "o_proj",
) -> ir.Value:
    """The block whose linears are `prefix`.q_proj, .k_proj, .v_proj and .`out`."""
    qkv = packed_qkv(g, x, prefix, shape)
    y = causal_attention(g, qkv, layer, shape, frame)
    return dense(g, y, f"{prefix}.{out}", shape.hidden, shape.query_width, bias=shape.out_bias)


def packed_qkv(g: GraphBuilder, x: ir.Value, prefix: str, shape: AttentionShape) -> Sequence[ir.Value]:
    """q (batch, tokens, query_width), k and v (batch, tokens, kv_width), made by one linear."""
    names = [f"{prefix}.{part}_proj" for part in "qkv"]
    made = dense_stack(g, x, names, shape.qkv_widths, shape.hidden, bias=shape.qkv_bias)
    return split(g, made, shape.qkv_widths)


def causal_attention(
    g: GraphBuilder, qkv: Sequence[ir.Value], layer: int, shape: AttentionShape, frame: CausalFrame
) -> ir.Value:
    """Grouped-query attention of (q, k, v) with a cache for `layer`; declares the cache as inputs and outputs.

    Queries and keys are turned if the frame has rotary tables.
    """
    cache = [
        g.input(
            f"past_key_values.{layer}.{part}",
            ir.DataType.FLOAT,
            ["batch", shape.kv_heads, "past", shape.head_dim],
        )
        for part in ("key", "value")
    ]
    rotary = [] if frame.cos is None else [frame.cos, frame.sin]
    y, key, value = g.ops(
        "GroupQueryAttention",
        [*qkv, *cache, frame.seqlens_k, frame.total, *rotary],
        3,
        domain=MICROSOFT,
        num_heads=shape.heads,
        kv_num_heads=shape.kv_heads,
        scale=shape.scale,
        softcap=shape.softcap,
        local_window_size=shape.window or -1,
        do_rotary=int(bool(rotary)),
    )
    for part, present in (("key", key), ("value", value)):
        g.output(
            present,
            f"present.{layer}.{part}",
            ir.DataType.FLOAT,
            ["batch", shape.kv_heads, "total", shape.head_dim],
        )
    return y
