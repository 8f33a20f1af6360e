"""Chooses the scale of every block of a symmetric scheme: plainly, or near the least squared error.

For block values x, let m be the value largest in magnitude. Candidates are the scales -m / t for a few t
around the zero point (so m lands on the side that has one more level), each followed by the best scale for the
levels it gave, sum(x q) / sum(q q). A scale is rounded to float16 before it is judged: what is measured is what
is stored. Searching around the signed maximum is the idea of ggml's q4_0 and of its `make_qx_quants`.
"""

import numpy as np

from .grid import Best, Floats, Grid, least_squares, storable, symmetric
from .schemes import Scheme

# What they gain is in docs/quantization.md. A negative step puts m on the side with fewer levels.
_STEPS = {
    2: (2.0, 1.5, 1.25, 1.75, 2.5, -1.0, -0.75),
    4: (8.0, 6.5, 7.0, 7.5, 8.5, 9.0),
    8: (128.0, 124.0, 126.0, 127.0, 129.0),
}


def nearest_scales(scheme: Scheme, x: Floats) -> Grid:
    """The signed maximum's scale of each block of `x` (block, n)."""
    return _grid(scheme, _signed_maximum(x) / np.float32(-scheme.zero_point))


def searched_scales(scheme: Scheme, x: Floats, importance: Floats | None) -> Grid:
    """The scale of each block of `x` with the least error found, weighted by `importance` (block, n) if given."""
    best = Best(x, nearest_scales(scheme, x), importance)
    maximum = _signed_maximum(x)
    for step in _STEPS[scheme.bits]:
        trial = _grid(scheme, maximum / np.float32(-step))
        best.try_grid(trial)
        best.try_grid(_grid(scheme, least_squares(x, trial.levels(x), importance)))
    return best.grid


def _grid(scheme: Scheme, scale: Floats) -> Grid:
    return symmetric(scheme, storable(scale))


def _signed_maximum(x: Floats) -> Floats:
    high, low = x.max(axis=0), x.min(axis=0)
    maximum: Floats = np.where(high > -low, high, low)
    return maximum
