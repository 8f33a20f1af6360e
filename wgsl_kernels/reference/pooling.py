"""Twins of `mean_pool`, `take_last` and `take_rows`."""

from itertools import pairwise

import numpy as np

from . import Arrays, Constants, Step


def mean_pool(inputs: Arrays, constants: Constants, step: Step) -> Arrays:
    """Mean of x (tokens, width) over each sequence of `bounds`, or its first row if `first_only`.

    Divided by max(L2 norm, 1e-12) if `normalize`.
    """
    x, bounds = inputs["x"].astype(np.float64), inputs["bounds"]
    first = bool(constants["first_only"])
    out = np.stack([x[begin : begin + 1 if first else end].mean(0) for begin, end in pairwise(bounds)])
    if constants["normalize"]:
        out /= np.maximum(np.linalg.norm(out, axis=-1, keepdims=True), 1e-12)
    return {"out": out}


def take_last(inputs: Arrays, constants: Constants, step: Step) -> Arrays:
    """The last row of x (tokens, width), as (1, width)."""
    return {"out": inputs["x"][step.tokens - 1][None].astype(np.float64)}


def take_rows(inputs: Arrays, constants: Constants, step: Step) -> Arrays:
    """out[s] = x[index[s]], as (sequences, width)."""
    return {"out": inputs["x"][inputs["index"][: len(inputs["out"])]].astype(np.float64)}
