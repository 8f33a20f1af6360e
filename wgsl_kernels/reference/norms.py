"""Twins of `layer_norm`, `rms_norm` and `gated_rms_norm`."""

import numpy as np
from numpy.typing import NDArray

from . import Arrays, Constants, Step, view
from .activations import silu


def layer_norm(inputs: Arrays, constants: Constants, step: Step) -> Arrays:
    """(x - mean) / sqrt(variance + epsilon) * weight, and the bias if any, over each row of (tokens, width)."""
    x = inputs["x"].astype(np.float64)
    centred = x - x.mean(-1, keepdims=True)
    scaled = _over_root_mean_square(centred, constants["epsilon"])
    bias = inputs["bias"].astype(np.float64) * constants["has_bias"]
    return {"out": scaled * inputs["weight"].astype(np.float64) + bias}


def rms_norm(inputs: Arrays, constants: Constants, step: Step) -> Arrays:
    """x / sqrt(mean(x^2) + epsilon) * weight over each of the heads of a view. Returns (tokens, heads * width)."""
    stride, offset, heads, width = (
        int(constants[name]) for name in ("x_stride", "x_offset", "heads", "width")
    )
    rows = view(inputs["x"], step.tokens, stride, offset, heads * width)
    scaled = _over_root_mean_square(rows.reshape(step.tokens, heads, width), constants["epsilon"])
    return {"out": (scaled * inputs["weight"].astype(np.float64)).reshape(step.tokens, -1)}


def gated_rms_norm(inputs: Arrays, constants: Constants, step: Step) -> Arrays:
    """x * silu(gate), RMS-normalised over each of `groups` slices of a row, times weight (gate first, then norm)."""
    tokens, width = inputs["x"].shape
    gate = view(inputs["gate"], tokens, int(constants["gate_stride"]), int(constants["gate_offset"]), width)
    gated = (inputs["x"].astype(np.float64) * silu(gate)).reshape(tokens, int(constants["groups"]), -1)
    scaled = _over_root_mean_square(gated, constants["epsilon"]).reshape(tokens, width)
    return {"out": scaled * inputs["weight"].astype(np.float64)}


def _over_root_mean_square(x: NDArray[np.float64], epsilon: float) -> NDArray[np.float64]:
    scaled: NDArray[np.float64] = x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + epsilon)
    return scaled
