"""Twin of the causal convolution."""

import numpy as np

from . import Arrays, Constants, Step, untouched, view


def causal_conv(inputs: Arrays, constants: Constants, step: Step) -> Arrays:
    """silu(bias + sum_j weight[c, j] * in[t - (taps - 1) + j]), the inputs before token 0 being the ring's.

    Returns `out` (tokens, channels) and `ring` (taps, channels): row p % taps is the input at position p.
    """
    if step.done:
        return {name: untouched(inputs[name]) for name in ("out", "ring")}
    channels, taps = int(constants["channels"]), int(constants["taps"])
    x = view(inputs["x"], step.tokens, int(constants["x_stride"]), int(constants["x_offset"]), channels)
    ring = untouched(inputs["ring"])
    history = np.concatenate([ring[(step.past + 1 + np.arange(taps - 1)) % taps], x])
    weight = inputs["weight"].astype(np.float64)
    total = sum(weight[:, j] * history[j : j + step.tokens] for j in range(taps))
    if constants["has_bias"]:
        total = total + inputs["bias"]
    last = np.arange(max(step.tokens - taps, 0), step.tokens)
    ring[(step.past + last) % taps] = x[last]
    return {"out": total / (1 + np.exp(-total)), "ring": ring}
