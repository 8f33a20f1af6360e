"""Twin of a token of a Mamba-2 mixer between its two linears."""

import numpy as np

from . import Arrays, Constants, Step, untouched
from .conv import causal_conv
from .ssm import ssm


def step_plain(inputs: Arrays, constants: Constants, step: Step) -> Arrays:
    """Convolution with SiLU over x, B and C, then the scan with its skip.

    Returns `out` (1, heads * head_dim), `ring` (taps, channels) and `state` (heads, state_size, head_dim).
    """
    return _step(inputs, constants, step, gated=False)


def step_gated(inputs: Arrays, constants: Constants, step: Step) -> Arrays:
    """As `step_plain`, with `out` times silu(z)."""
    return _step(inputs, constants, step, gated=True)


def _step(inputs: Arrays, constants: Constants, step: Step, gated: bool) -> Arrays:
    if step.done:
        return {name: untouched(inputs[name]) for name in ("out", "ring", "state")}
    at = {name: int(value) for name, value in constants.items() if not name.startswith("dt_m")}
    convolution = causal_conv(
        {**inputs, "x": inputs["row"]},
        {**constants, "x_stride": inputs["row"].size, "x_offset": constants["conv_offset"]},
        step,
    )
    y, state = _scanned(inputs, {**constants, **at}, step, convolution["out"])
    if gated:
        z = inputs["row"][:, at["z_offset"] :][:, : y.shape[1]].astype(np.float64)
        y = y * z / (1 + np.exp(-z))
    return {"out": y, "ring": convolution["ring"], "state": state}


def _scanned(inputs: Arrays, at: Constants, step: Step, mixed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The scan over the convolved row [x, B, C, ...], with its vectors cut out of `vectors`."""
    heads = int(at["heads"])
    names = {"a_log": "a_at", "dt_bias": "dt_bias_at", "d": "d_at"}
    vectors = {name: inputs["vectors"][int(at[key]) :][:heads] for name, key in names.items()}
    places = {name: at[name] - at["conv_offset"] for name in ("x_offset", "b_offset", "c_offset")}
    rows = {"stride": mixed.shape[1], "dt_stride": inputs["row"].size}
    given = {**inputs, "xbc": mixed, "dt": inputs["row"], **vectors}
    made = ssm(given, {**at, **places, **rows}, step)
    return made["out"], made["state"]
