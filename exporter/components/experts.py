"""A mixture of experts (Shazeer et al., arXiv 1701.06538): top-k by the router, softmax over the k, gated experts."""

from dataclasses import dataclass

import numpy as np
import onnx_ir as ir

from exporter.components.graph import MICROSOFT, GraphBuilder
from exporter.components.layers import linear
from exporter.components.rearranged import rearranged


@dataclass(frozen=True)
class ExpertsShape:
    """Sizes of a mixture: `experts` gated MLPs of `inner` values each, of which every token passes `top`."""

    hidden: int
    inner: int
    experts: int
    top: int

    def interleaved(self, rows: np.ndarray) -> np.ndarray:
        """Where rows of all experts' gate_up come from: row 2i is an expert's gate row i, row 2i + 1 its up row i."""
        expert, inside = np.divmod(rows, 2 * self.inner)
        return np.asarray(2 * self.inner * expert + self.inner * (inside % 2) + inside // 2)


def mixture_of_experts(
    g: GraphBuilder, x: ir.Value, router: str, gate_up: str, down: str, s: ExpertsShape
) -> ir.Value:
    """The weighted sum of the experts' outputs for x (batch, tokens, hidden), the same shape.

    `router` is (experts, hidden); `gate_up` (experts, 2 * inner, hidden), an expert's gate rows before its up rows;
    `down` (experts, hidden, inner). onnxruntime's operator wants the rows interleaved, and flat router logits.
    """
    scores = linear(g, x, g.weight(router, shape=(s.experts, s.hidden)))
    flat = g.op("Reshape", scores, g.constant(f"flat.{s.experts}", np.array([-1, s.experts], np.int64)))
    fc1 = rearranged(g, gate_up, (s.experts, 2 * s.inner, s.hidden), s.interleaved)
    fc2 = g.weight(down, shape=(s.experts, s.hidden, s.inner))
    return g.op(
        "MoE",
        *(x, flat, fc1, None, fc2),
        domain=MICROSOFT,
        k=s.top,
        activation_type="swiglu",
        swiglu_fusion=1,
        activation_alpha=1.0,
        activation_beta=0.0,
        normalize_routing_weights=1,
    )
