"""Feed-forward blocks: gated (Shazeer, arXiv 2002.05202) and plain."""

from collections.abc import Sequence
from dataclasses import dataclass

import onnx_ir as ir

from exporter.components.activations import activation, gate_operator
from exporter.components.graph import GraphBuilder
from exporter.components.layers import dense, dense_stack, split
from exporter.ops import DOMAIN


@dataclass(frozen=True)
class MlpShape:
    """Sizes of a feed-forward block; `activation` is a key of ACTIVATIONS, `bias` is for all its linears."""

    hidden: int
    inner: int
    activation: str
    bias: bool = False


def gated_mlp(g: GraphBuilder, x: ir.Value, up: Sequence[str], down: str, s: MlpShape) -> ir.Value:
    """down(activation(gate) * up) of x (batch, tokens, hidden).

    `up` names the linears that make gate and up: one for each, in this order, or one that makes both.
    """
    rows = [2 * s.inner // len(up)] * len(up)
    gate_up = dense_stack(g, x, up, rows, s.hidden, bias=s.bias)
    operator = gate_operator(s.activation)
    if operator is not None:
        gated = g.op(operator, gate_up, domain=DOMAIN)
    else:
        gate, value = split(g, gate_up, [s.inner, s.inner])
        gated = g.op("Mul", activation(g, gate, s.activation), value, name="gate")
    return dense(g, gated, down, s.hidden, s.inner, bias=s.bias)


def plain_mlp(g: GraphBuilder, x: ir.Value, up: str, down: str, s: MlpShape) -> ir.Value:
    """down(activation(up(x))) of x (batch, tokens, hidden)."""
    inner = activation(g, dense(g, x, up, s.inner, s.hidden, bias=s.bias), s.activation)
    return dense(g, inner, down, s.hidden, s.inner, bias=s.bias)
