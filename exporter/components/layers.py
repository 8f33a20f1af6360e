"""Building blocks that models share. Activations are float32 (batch, tokens, width); weights are (N, K)."""

from collections.abc import Sequence

import numpy as np
import onnx_ir as ir

from exporter.components.graph import MICROSOFT, GraphBuilder
from exporter.ops import DOMAIN


def linear(g: GraphBuilder, x: ir.Value, weight: ir.Value, bias: ir.Value | None = None) -> ir.Value:
    """x @ weight.T + bias."""
    y = g.op("FusedMatMul", x, weight, domain=MICROSOFT, transB=1, name="linear")
    return y if bias is None else g.op("Add", y, bias, name="bias")


def dense(g: GraphBuilder, x: ir.Value, prefix: str, rows: int, inner: int, *, bias: bool = True) -> ir.Value:
    """x (..., inner) @ `prefix`.weight.T + `prefix`.bias, if there is a bias: (..., rows)."""
    return dense_stack(g, x, [prefix], [rows], inner, bias=bias)


def dense_stack(
    g: GraphBuilder,
    x: ir.Value,
    prefixes: Sequence[str],
    rows: Sequence[int],
    inner: int,
    *,
    bias: bool = True,
) -> ir.Value:
    """Linears of the same input as one, their outputs side by side in the last axis."""
    weight = g.weight(*(f"{prefix}.weight" for prefix in prefixes), shape=(sum(rows), inner), rows=rows)
    if not bias:
        return linear(g, x, weight)
    return linear(
        g, x, weight, g.weight(*(f"{prefix}.bias" for prefix in prefixes), shape=(sum(rows),), rows=rows)
    )


def split(g: GraphBuilder, x: ir.Value, widths: Sequence[int]) -> Sequence[ir.Value]:
    """Cut the last axis into pieces of the given widths."""
    sizes = g.constant("split." + ".".join(map(str, widths)), np.array(widths, np.int64))
    return g.ops("Split", [x, sizes], len(widths), axis=-1)


def layer_norm(g: GraphBuilder, x: ir.Value, prefix: str, width: int, epsilon: float) -> ir.Value:
    """LayerNorm over the last axis with `prefix`.weight and .bias."""
    weight = g.weight(f"{prefix}.weight", shape=(width,))
    bias = g.weight(f"{prefix}.bias", shape=(width,))
    return g.op("LayerNormalization", x, weight, bias, axis=-1, epsilon=epsilon)


def rms_norm(
    g: GraphBuilder, x: ir.Value, name: str, width: int, epsilon: float, offset: float = 0.0
) -> ir.Value:
    """RMSNorm over the last axis with weight `name` + `offset` (Gemma stores what its weights have over 1)."""
    return g.op("RMSNorm", x, _norm_weight(g, name, width, offset), domain=DOMAIN, epsilon=epsilon)


def _norm_weight(g: GraphBuilder, name: str, width: int, offset: float) -> ir.Value:
    if not offset:
        return g.weight(name, shape=(width,))
    g.require(name, (width,))
    return g.derived(f"{name}+{offset}", (width,), lambda: g.read(name) + np.float32(offset))


def scaled(g: GraphBuilder, x: ir.Value, factor: float) -> ir.Value:
    """x * factor; nothing is added to the graph when the factor is 1."""
    return x if factor == 1.0 else g.op("Mul", x, g.scalar(factor), name="scale")
