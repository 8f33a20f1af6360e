"""The encoder layer of Vaswani et al. (arXiv 1706.03762), its norms after the sums, as BERT and DistilBERT have it."""

from dataclasses import dataclass

import numpy as np
import onnx_ir as ir

from exporter.components.activations import activation
from exporter.components.graph import MICROSOFT, GraphBuilder, WeightSource
from exporter.components.layers import dense, dense_stack, split


@dataclass(frozen=True)
class EncoderFrame:
    """What an encoder is given: ids, mask (batch, tokens) int64; positions (tokens,); padding, the mask as int32."""

    ids: ir.Value
    mask: ir.Value
    positions: ir.Value
    padding: ir.Value


@dataclass(frozen=True)
class EncoderShape:
    """Sizes of one encoder layer; `activation` is a key of ACTIVATIONS."""

    hidden: int
    heads: int
    inner: int
    activation: str
    epsilon: float


@dataclass(frozen=True)
class EncoderNames:
    """Where a checkpoint keeps the parts of a layer: names below the layer's own prefix."""

    query: str
    key: str
    value: str
    attention_out: str
    attention_norm: str
    up: str
    down: str
    norm: str


def stored_name(weights: WeightSource, *spellings: str) -> str:
    """The first of the spellings that the checkpoint has a tensor for; the first of all if it has none."""
    return next((name for name in spellings if name in weights.tensors), spellings[0])


def encoder_norm(
    g: GraphBuilder, weights: WeightSource, x: ir.Value, prefix: str, width: int, epsilon: float
) -> ir.Value:
    """LayerNorm; checkpoints of the first years call its weight gamma and its bias beta."""
    weight = g.weight(stored_name(weights, f"{prefix}.weight", f"{prefix}.gamma"), shape=(width,))
    bias = g.weight(stored_name(weights, f"{prefix}.bias", f"{prefix}.beta"), shape=(width,))
    return g.op("LayerNormalization", x, weight, bias, axis=-1, epsilon=epsilon)


def encoder_frame(g: GraphBuilder) -> EncoderFrame:
    """Declares input_ids and attention_mask, and counts the positions."""
    ids = g.input("input_ids", ir.DataType.INT64, ["batch", "tokens"])
    mask = g.input("attention_mask", ir.DataType.INT64, ["batch", "tokens"])
    zero, one = (g.constant(f"position.{n}", np.array(n, np.int64)) for n in (0, 1))
    count = g.op("Squeeze", g.op("Shape", ids, start=1, end=2))
    positions = g.op("Range", zero, count, one)
    padding = g.op("Cast", mask, to=ir.DataType.INT32.value)
    positions.name, padding.name = "position_ids", "key_padding_mask"
    return EncoderFrame(ids, mask, positions, padding)


def encoder_layer(
    g: GraphBuilder,
    weights: WeightSource,
    x: ir.Value,
    padding: ir.Value,
    prefix: str,
    names: EncoderNames,
    s: EncoderShape,
) -> ir.Value:
    """One layer over x (batch, tokens, hidden) float32; tokens whose `padding` is 0 are not attended to."""
    attended = _attention(g, x, padding, prefix, names, s)
    summed = g.op("Add", attended, x, name="residual")
    x = encoder_norm(g, weights, summed, f"{prefix}.{names.attention_norm}", s.hidden, s.epsilon)
    inner = activation(g, dense(g, x, f"{prefix}.{names.up}", s.inner, s.hidden), s.activation)
    out = dense(g, inner, f"{prefix}.{names.down}", s.hidden, s.inner)
    summed = g.op("Add", out, x, name="residual")
    return encoder_norm(g, weights, summed, f"{prefix}.{names.norm}", s.hidden, s.epsilon)


def _attention(
    g: GraphBuilder, x: ir.Value, padding: ir.Value, prefix: str, names: EncoderNames, s: EncoderShape
) -> ir.Value:
    parts = [f"{prefix}.{name}" for name in (names.query, names.key, names.value)]
    rows = [s.hidden] * 3
    q, k, v = split(g, dense_stack(g, x, parts, rows, s.hidden), rows)
    y = g.op("MultiHeadAttention", q, k, v, None, padding, domain=MICROSOFT, num_heads=s.heads)
    return dense(g, y, f"{prefix}.{names.attention_out}", s.hidden, s.hidden)
