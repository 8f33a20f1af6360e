"""The two ends of a text generator: embeddings in, logits out."""

import numpy as np
import onnx_ir as ir

from exporter.components.attention import CausalFrame, positions
from exporter.components.graph import GraphBuilder, WeightSource
from exporter.components.layers import linear, scaled
from exporter.ops import DOMAIN


def embedding(g: GraphBuilder, frame: CausalFrame, table: ir.Value, factor: float = 1.0) -> ir.Value:
    """Rows of `table` (vocabulary, hidden) for the ids, times `factor`: (batch, tokens, hidden)."""
    return scaled(g, g.op("Gather", table, frame.ids, axis=0), factor)


def learned_positions(
    g: GraphBuilder, frame: CausalFrame, x: ir.Value, name: str, shape: tuple[int, int], offset: int = 0
) -> ir.Value:
    """x plus a row of `name` for each position; `shape` (positions, hidden) is without the first `offset` rows."""
    g.require(name, (shape[0] + offset, shape[1]))

    def read(start: int, stop: int) -> np.ndarray:
        return g.read_rows(name, start + offset, stop + offset)

    table = g.derived_rows(name, shape, read)
    return g.op("Add", x, g.op("Gather", table, positions(g, frame), axis=0), name="positions")


def head_weight(
    g: GraphBuilder, weights: WeightSource, name: str, table: ir.Value, shape: tuple[int, int], tied: bool
) -> ir.Value:
    """The weight (vocabulary, hidden) of the last linear: `name`, or the embedding `table` if they are tied.

    transformers plays a stored head even where the configuration ties it; equal bytes are stored once anyway.
    """
    return g.weight(name, shape=shape) if not tied or name in weights.tensors else table


def logits(
    g: GraphBuilder,
    x: ir.Value,
    weight: ir.Value,
    vocabulary: int,
    *,
    bias: ir.Value | None = None,
    factor: float = 1.0,
    cap: float = 0.0,
) -> None:
    """Declares the output logits (batch, tokens, vocabulary): x @ weight.T times `factor`, plus bias.

    `cap` c makes them c * tanh(logit / c) (Bello et al., arXiv 1611.09940); 0 leaves them.
    """
    made = scaled(g, linear(g, x, weight), factor)
    if bias is not None:
        made = g.op("Add", made, bias, name="bias")
    if cap:
        made = g.op("SoftCap", made, domain=DOMAIN, cap=cap)
    g.output(made, "logits", ir.DataType.FLOAT, ["batch", "tokens", vocabulary])
