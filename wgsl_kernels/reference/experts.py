"""Twins of the mixture of experts (Shazeer et al., arXiv 1701.06538), top-k first and softmax over the k chosen."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from . import Array, Arrays, Constants, Step, untouched
from .activations import silu
from .weights import dequantize

Floats = NDArray[np.float64]


def top_experts(inputs: Arrays, constants: Constants, step: Step) -> Arrays:
    """The indices (tokens, slots) of the largest logits, of equals the lowest first, and the softmax over them."""
    logits = inputs["logits"].astype(np.float64)
    experts = np.argsort(-logits, axis=-1, kind="stable")[:, : int(constants["slots"])]
    chosen = np.take_along_axis(logits, experts, axis=-1)
    weights = np.exp(chosen - chosen[:, :1])
    return {
        "experts": experts.astype(np.uint32),
        "routing": weights / weights.sum(axis=-1, keepdims=True),
    }


def group_by_expert(inputs: Arrays, constants: Constants, step: Step) -> Arrays:
    """Pairs (token * slots + slot) in the order of their experts, and where each expert's begin."""
    experts = inputs["experts"].reshape(-1)
    counts = np.bincount(experts, minlength=int(constants["expert_total"]))
    return {
        "bounds": np.concatenate([[0], np.cumsum(counts)]).astype(np.uint32),
        "pairs": np.argsort(experts, kind="stable").astype(np.uint32),
    }


def sum_experts(inputs: Arrays, constants: Constants, step: Step) -> Arrays:
    """The sum over slots of routing (tokens, slots) times x (tokens * slots, width)."""
    return {"out": _mixed(inputs["routing"].astype(np.float64), inputs["x"].astype(np.float64))}


def up_gemv(inputs: Arrays, constants: Constants, step: Step) -> Arrays:
    """silu(gate) * up of each pair whose expert is in the cut: (tokens * slots, rows / 2).

    And `routes` (tokens, slots, 2): the experts as `top_experts` chooses them, and the bits of their logits.
    """
    out, weight = untouched(inputs["out"]), _weight(inputs, constants)
    experts = top_experts(inputs, constants, step)["experts"].astype(int)
    for pair, expert in _pairs_of_cut(experts, constants, len(weight)):
        x = inputs["x"][pair // int(constants["slots"])].astype(np.float64)
        out[pair] = _gated(weight[expert] @ x)
    bits = np.take_along_axis(inputs["logits"].view(np.uint32), experts, axis=-1)
    return {"out": out, "routes": np.stack([experts.astype(np.uint32), bits], axis=-1)}


def down_gemv(inputs: Arrays, constants: Constants, step: Step) -> Arrays:
    """The sum over slots of softmax(logits) * expert (rows, inner) x hidden, for the cut; added if accumulate."""
    weight, experts = _weight(inputs, constants), inputs["routes"][..., 0].astype(int)
    products = np.zeros((len(inputs["x"]), weight.shape[1]))
    for pair, expert in _pairs_of_cut(experts, constants, len(weight)):
        products[pair] = weight[expert] @ inputs["x"][pair].astype(np.float64)
    before = untouched(inputs["out"]) if constants["accumulate"] else 0.0
    logits = np.ascontiguousarray(inputs["routes"][..., 1]).view(np.float32).astype(np.float64)
    shares = np.exp(logits - logits[:, :1])
    return {"out": before + _mixed(shares / shares.sum(axis=-1, keepdims=True), products)}


def up_gemm(inputs: Arrays, constants: Constants, step: Step) -> Arrays:
    """silu(gate) * up of each pair whose expert is in the cut, in the order of `pairs`."""
    out = untouched(inputs["out"])
    tokens = inputs["pairs"] // int(constants["slots"])
    for span, weight in _spans_of_cut(inputs, constants):
        out[span] = _gated(inputs["x"][tokens[span]].astype(np.float64) @ weight.T)
    return {"out": out}


def down_gemm(inputs: Arrays, constants: Constants, step: Step) -> Arrays:
    """Expert (rows, inner) times x, whose rows are in the order of `pairs`; row p of out is that of pair p."""
    out = untouched(inputs["out"])
    for span, weight in _spans_of_cut(inputs, constants):
        out[inputs["pairs"][span]] = inputs["x"][span].astype(np.float64) @ weight.T
    return {"out": out}


def _weight(inputs: Arrays, constants: Constants) -> Floats:
    """(experts of the cut, rows, inner)."""
    inner = int(constants["inner"])
    return dequantize(inputs, inner).reshape(-1, int(constants["rows"]), inner)


def _gated(rows: Floats) -> Floats:
    """silu(gate) * up, where gate and up alternate along the last axis."""
    return silu(rows[..., ::2]) * rows[..., 1::2]


def _pairs_of_cut(experts: NDArray[np.int64], constants: Constants, count: int) -> Iterator[tuple[int, int]]:
    """Each pair of an expert in the cut, and the expert's place there."""
    for pair, expert in enumerate(experts.reshape(-1) - int(constants["first_expert"])):
        if 0 <= expert < count:
            yield pair, int(expert)


def _spans_of_cut(inputs: Arrays, constants: Constants) -> Iterator[tuple[slice, Floats]]:
    """For each expert in the cut, its span of `pairs` and its matrix."""
    first = int(constants["first_expert"])
    bounds: Array = inputs["bounds"].astype(int)
    for expert, weight in enumerate(_weight(inputs, constants), start=first):
        yield slice(bounds[expert], bounds[expert + 1]), weight


def _mixed(routing: Floats, products: Floats) -> Floats:
    mixed: Floats = np.einsum("ts,tsw->tw", routing, products.reshape(*routing.shape, -1))
    return mixed
