"""Twins of `gemv_*` and `gemm_*`, one for each epilogue, and of `low_rank_*`; whatever the weight format."""

import numpy as np
from numpy.typing import NDArray

from . import Arrays, Constants, Step, untouched, view
from .activations import activated, soft_cap
from .weights import dequantize


def store(inputs: Arrays, constants: Constants, step: Step) -> Arrays:
    """alpha * x W^T, written to columns [column, column + rows) of out (tokens, out_stride)."""
    return _placed(inputs, constants, _product(inputs, constants))


def logits(inputs: Arrays, constants: Constants, step: Step) -> Arrays:
    """alpha * x W^T, plus the bias if there is one, soft-capped; the output is float32 in every tier."""
    value = _product(inputs, constants) + _optional_bias(inputs, constants)
    return _placed(inputs, constants, soft_cap(value, constants["cap"]))


def bias(inputs: Arrays, constants: Constants, step: Step) -> Arrays:
    """The activation of alpha * x W^T + bias."""
    value = _product(inputs, constants) + inputs["bias"].astype(np.float64)
    return _placed(inputs, constants, activated(value, constants["activation"]))


def residual(inputs: Arrays, constants: Constants, step: Step) -> Arrays:
    """residual + alpha * x W^T, plus the bias if there is one; the residual has the layout of out."""
    before = inputs["residual"][:, _columns(constants)].astype(np.float64)
    return _placed(
        inputs, constants, before + _product(inputs, constants) + _optional_bias(inputs, constants)
    )


def _optional_bias(inputs: Arrays, constants: Constants) -> NDArray[np.float64]:
    return inputs["bias"].astype(np.float64) * constants["has_bias"]


def gate(inputs: Arrays, constants: Constants, step: Step) -> Arrays:
    """The activation of x W^T for the first half of the rows, times x W^T for the second."""
    first, second = np.split(_product(inputs, {**constants, "alpha": 1}), 2, axis=-1)
    return {"out": activated(first, constants["activation"]) * second}


def low_rank(inputs: Arrays, constants: Constants, step: Step) -> Arrays:
    """out, and to its columns [column, column + rows) alpha * h W^T is added, where h is a view of x."""
    out, inner = untouched(inputs["out"]), int(constants["inner"])
    stride, offset = int(constants["x_stride"]), int(constants["x_offset"])
    h = view(inputs["x"], len(out), stride, offset, inner)
    out[:, _columns(constants)] += constants["alpha"] * (h @ dequantize(inputs, inner).T)
    return {"out": out}


def _product(inputs: Arrays, constants: Constants) -> NDArray[np.float64]:
    weight = dequantize(inputs, int(constants["inner"]))
    product: NDArray[np.float64] = constants["alpha"] * (_input(inputs, constants) @ weight.T)
    return product


def _input(inputs: Arrays, constants: Constants) -> NDArray[np.float64]:
    """x, or RMSNorm(x) where the kernel has a norm for a prologue."""
    x = inputs["x"].astype(np.float64)
    if "norm" not in inputs:
        return x
    mean: NDArray[np.float64] = (x * x).mean(axis=-1, keepdims=True)
    return x / np.sqrt(mean + constants["epsilon"]) * inputs["norm"].astype(np.float64)


def _columns(constants: Constants) -> slice:
    return slice(int(constants["column"]), int(constants["column"]) + int(constants["rows"]))


def _placed(inputs: Arrays, constants: Constants, value: NDArray[np.float64]) -> Arrays:
    out = untouched(inputs["out"])
    out[:, _columns(constants)] = value
    return {"out": out}
