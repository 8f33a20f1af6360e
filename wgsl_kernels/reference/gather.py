"""Twins of `gather_*` and `gather_positions_*`."""

import numpy as np
from numpy.typing import NDArray

from . import Arrays, Constants, Step, untouched
from .weights import dequantize


def gather(inputs: Arrays, constants: Constants, step: Step) -> Arrays:
    """out[t] = scale * table[ids[t] - row_start], or added to out[t]; ids outside the table change nothing."""
    return _gathered(inputs["ids"].astype(np.int64) - int(constants["row_start"]), inputs, constants)


def gather_positions(inputs: Arrays, constants: Constants, step: Step) -> Arrays:
    """As `gather`, row past + t for token t."""
    return _gathered(step.past + np.arange(step.tokens), inputs, constants)


def _gathered(index: NDArray[np.int64], inputs: Arrays, constants: Constants) -> Arrays:
    table = dequantize(inputs, int(constants["width"]))
    inside = (index >= 0) & (index < int(constants["rows"]))
    out = untouched(inputs["out"])
    before = out[inside] if constants["accumulate"] else 0.0
    out[inside] = before + constants["scale"] * table[index[inside]]
    return {"out": out}
