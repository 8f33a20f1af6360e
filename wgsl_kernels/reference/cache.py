"""Twins of the writes into the key and value caches."""

import numpy as np
from numpy.typing import NDArray

from . import Array, Arrays, Constants, Step, untouched, view
from .rope import rotated


def cache_write(inputs: Arrays, constants: Constants, step: Step) -> Arrays:
    """Both caches (context, width) with the rows of two views at `step.past` on."""
    rows = {name: _rows(inputs, constants, step, name) for name in ("key", "value")}
    return {f"{name}s": _written(inputs[f"{name}s"], rows[name], step) for name in rows}


def cache_write_rope(inputs: Arrays, constants: Constants, step: Step) -> Arrays:
    """As `cache_write`, with keys rotated; and the rotated queries, `out` (tokens, query_width)."""
    value = _rows(inputs, constants, step, "value")
    turned = {}
    for name in ("query", "key"):
        rows = _rows(inputs, constants, step, name)
        turned[name] = rotated(rows, inputs["table"], constants, step)
    return {
        "keys": _written(inputs["keys"], turned["key"], step),
        "values": _written(inputs["values"], value, step),
        "out": untouched(inputs["out"]) if step.done else turned["query"],
    }


def _rows(inputs: Arrays, constants: Constants, step: Step, name: str) -> NDArray[np.float64]:
    """The view of queries, keys or values."""
    stride, offset = (int(constants[f"{name}_{place}"]) for place in ("stride", "offset"))
    width = int(constants["query_width" if name == "query" else "width"])
    return view(inputs[name], step.tokens, stride, offset, width)


def _written(cache: Array, rows: NDArray[np.float64], step: Step) -> Array:
    after = untouched(cache)
    if not step.done:
        after[step.past : step.past + step.tokens] = rows
    return after
