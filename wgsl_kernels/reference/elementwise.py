"""Twins of `gate`, `activate`, `multiply`, `add` and `copy`."""

import numpy as np
from numpy.typing import NDArray

from . import Arrays, Constants, Step, view
from .activations import activated


def gate(inputs: Arrays, constants: Constants, step: Step) -> Arrays:
    """activation(first half) * second half of (tokens, 2 * width)."""
    gated, up = np.split(inputs["x"].astype(np.float64), 2, axis=-1)
    return {"out": activated(gated, constants["activation"]) * up}


def activate(inputs: Arrays, constants: Constants, step: Step) -> Arrays:
    """activation(x), from a view to a contiguous (tokens, width)."""
    return {"out": activated(_viewed("x", inputs, constants), constants["activation"])}


def multiply(inputs: Arrays, constants: Constants, step: Step) -> Arrays:
    """a * b, from two views to a contiguous (tokens, width)."""
    return {"out": _viewed("a", inputs, constants) * _viewed("b", inputs, constants)}


def add(inputs: Arrays, constants: Constants, step: Step) -> Arrays:
    """a + alpha * b, both (tokens, width)."""
    return {"out": inputs["a"].astype(np.float64) + constants["alpha"] * inputs["b"].astype(np.float64)}


def copy(inputs: Arrays, constants: Constants, step: Step) -> Arrays:
    """alpha * x, from a view to a contiguous (tokens, width)."""
    return {"out": constants["alpha"] * _viewed("x", inputs, constants)}


def _viewed(name: str, inputs: Arrays, constants: Constants) -> NDArray[np.float64]:
    tokens, width = inputs["out"].shape
    stride, offset = int(constants[f"{name}_stride"]), int(constants[f"{name}_offset"])
    return view(inputs[name], tokens, stride, offset, width)
