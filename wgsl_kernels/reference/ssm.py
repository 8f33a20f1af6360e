"""Twin of the Mamba-2 scan, for one token and for many."""

import numpy as np
from numpy.typing import NDArray

from . import Arrays, Constants, Step, untouched, view

Floats = NDArray[np.float64]


def ssm(inputs: Arrays, constants: Constants, step: Step) -> Arrays:
    """S_t = exp(dt' A) S_{t-1} + dt' B x^T and y_t = C^T S_t + D x_t (Dao and Gu, 2024), head by head.

    dt' = clamp(softplus(dt + dt_bias), dt_min, dt_max), A = -exp(a_log). Returns `out` (tokens, heads * head_dim) and
    `state` (heads, state_size, head_dim).
    """
    if step.done:
        return {name: untouched(inputs[name]) for name in ("out", "state")}
    x, b, c = _split(inputs, constants, step)
    sizes = step_sizes(inputs, constants, step)
    decay = np.exp(-sizes * np.exp(inputs["a_log"].astype(np.float64)))
    state = inputs["state"].astype(np.float64)
    out = np.zeros_like(x)
    for t in range(step.tokens):
        rank_one = b[t][:, :, None] * (sizes[t][:, None] * x[t])[:, None, :]
        state = decay[t][:, None, None] * state + rank_one
        out[t] = np.einsum("hn,hnp->hp", c[t], state)
    if constants["has_d"]:
        out += inputs["d"].astype(np.float64)[:, None] * x
    return {"out": out.reshape(step.tokens, -1), "state": state}


def _split(inputs: Arrays, constants: Constants, step: Step) -> tuple[Floats, Floats, Floats]:
    """x as (tokens, heads, head_dim), B and C as (tokens, heads, state_size)."""
    heads, groups, state_size = (int(constants[name]) for name in ("heads", "groups", "state_size"))
    stride, head_dim = int(constants["stride"]), int(constants["head_dim"])
    xbc = inputs["xbc"]
    x = view(xbc, step.tokens, stride, int(constants["x_offset"]), heads * head_dim)
    b, c = (
        view(xbc, step.tokens, stride, int(constants[name]), groups * state_size)
        .reshape(step.tokens, groups, state_size)
        .repeat(heads // groups, axis=1)
        for name in ("b_offset", "c_offset")
    )
    return x.reshape(step.tokens, heads, head_dim), b, c


def step_sizes(inputs: Arrays, constants: Constants, step: Step) -> Floats:
    """dt' as (tokens, heads)."""
    stride, offset = int(constants["dt_stride"]), int(constants["dt_offset"])
    raw = view(inputs["dt"], step.tokens, stride, offset, int(constants["heads"])) + inputs["dt_bias"]
    sizes: Floats = np.clip(np.logaddexp(0, raw), constants["dt_min"], constants["dt_max"])
    return sizes
