"""Mixtures of experts in every pair of forms, in stock onnxruntime, against the same sums in NumPy."""

from collections.abc import Mapping

import numpy as np
import onnx_ir as ir
import onnxruntime
import pytest

from exporter.components import ExpertsShape, GraphBuilder, mixture_of_experts
from exporter.passes import quantize_weights
from exporter.quantization import SCHEMES, Recipe, dequantize, quantize, to_float16

TOKENS = 5
# Rows a multiple of 128, at which onnxruntime's QMoE of 2 bits is no longer exact; an odd number of blocks.
SHAPE = ExpertsShape(hidden=96, inner=64, experts=4, top=2)
RELATIVE = 1e-5


class Weights:
    """Random tensors of a mixture, read as a checkpoint's are."""

    def __init__(self, s: ExpertsShape) -> None:
        draw = np.random.default_rng(7)
        shapes = {
            "router": (s.experts, s.hidden),
            "gate_up": (s.experts, 2 * s.inner, s.hidden),
            "down": (s.experts, s.hidden, s.inner),
        }
        self.tensors = {
            name: draw.normal(0.0, 0.2, shape).astype(np.float32) for name, shape in shapes.items()
        }

    def require(self, name: str, shape: tuple[int, ...]) -> None:
        assert self.tensors[name].shape == shape

    def read(self, name: str) -> np.ndarray:
        return self.tensors[name]

    def read_rows(self, name: str, start: int, stop: int) -> np.ndarray:
        tensor = self.tensors[name]
        return tensor.reshape(-1, tensor.shape[-1])[start:stop]


def _model(weights: Weights, s: ExpertsShape) -> ir.Model:
    g = GraphBuilder("mixture", weights)
    x = g.input("x", ir.DataType.FLOAT, [1, TOKENS, s.hidden])
    y = mixture_of_experts(g, x, "router", "gate_up", "down", s)
    g.output(y, "y", ir.DataType.FLOAT, [1, TOKENS, s.hidden])
    return g.finish()


def _played(model: ir.Model, x: np.ndarray) -> np.ndarray:
    proto = ir.to_proto(model).SerializeToString()
    session = onnxruntime.InferenceSession(proto, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"x": x[None]})[0][0])


def _expected(weights: Mapping[str, np.ndarray], x: np.ndarray, s: ExpertsShape) -> np.ndarray:
    """Top-k on the logits, softmax over the k, silu(gate) * up, in float64."""
    router, gate_up, down = (weights[name].astype(np.float64) for name in ("router", "gate_up", "down"))
    y = np.zeros(x.shape)
    for token, row in enumerate(x.astype(np.float64)):
        scores = router @ row
        chosen = np.argsort(-scores)[: s.top]
        shares = np.exp(scores[chosen] - scores[chosen].max())
        for expert, share in zip(chosen, shares / shares.sum(), strict=True):
            gate, up = np.split(gate_up[expert] @ row, 2)
            y[token] += share * (down[expert] @ (gate / (1 + np.exp(-gate)) * up))
    return y


def _rounded(weight: np.ndarray, scheme: str) -> np.ndarray:
    flat = weight.reshape(-1, weight.shape[-1])
    if scheme == "f16":
        flat = to_float16(flat).astype(np.float32)
    elif scheme != "f32":
        flat = dequantize(quantize(SCHEMES[scheme], flat), flat.shape[1])
    return flat.reshape(weight.shape)


PAIRS = [
    *((scheme, scheme) for scheme in SCHEMES),
    ("q4", "q2z"),
    ("q2", "q4z"),
    ("q8", "q4"),
    ("q2z", "q8z"),
    ("q4z", "f16"),
    ("f32", "q2"),
]


@pytest.mark.parametrize(("up", "down"), PAIRS)
def test_experts_are_what_their_stored_weights_make(up: str, down: str) -> None:
    weights, x = (
        Weights(SHAPE),
        np.random.default_rng(8).normal(size=(TOKENS, SHAPE.hidden)).astype(np.float32),
    )
    model = _model(weights, SHAPE)
    choices = quantize_weights(model, {"gate_up.rearranged": Recipe(up), "down": Recipe(down)})
    assert {
        choice.name: choice.scheme for choice in choices if choice.name in ("gate_up.rearranged", "down")
    } == {
        "gate_up.rearranged": up,
        "down": down,
    }
    stored = weights.tensors | {
        "gate_up": _rounded(weights.tensors["gate_up"], up),
        "down": _rounded(weights.tensors["down"], down),
    }
    expected = _expected(stored, x, SHAPE)
    assert np.abs(_played(model, x) - expected).max() < RELATIVE * np.abs(expected).max()


def test_rows_that_are_no_whole_blocks_stay_in_float16_with_the_reason() -> None:
    shape = ExpertsShape(hidden=64, inner=40, experts=3, top=1)
    choices = quantize_weights(
        _model(Weights(shape), shape), {name: Recipe("q4") for name in ("gate_up.rearranged", "down")}
    )
    made = {choice.name: choice for choice in choices}
    assert made["gate_up.rearranged"].scheme == "q4"
    assert made["down"].scheme == "f16"
    assert "40" in made["down"].reason
