"""Chooses scale and zero point of every block of a scheme that stores both: plainly, or near the least squared error.

Plainly, the levels span the block's values and 0. The search shrinks that span by a few factors (cutting off a few
outliers to round the others finer), and follows each by the straight line x = s q + b that fits the block's levels
q best, with the zero point nearest to -b / s. What is measured is what is stored: float16 scales, whole zero points.
"""

import numpy as np

from .grid import Best, Floats, Grid, least_squares, storable, sum_of_rows, top_level
from .schemes import Scheme

_SHRINK = {2: (1.0, 0.85, 0.7, 0.55), 4: (1.0, 0.93, 0.86, 0.8), 8: (1.0, 0.99, 0.98)}
_REFINEMENTS = 2


def nearest_zeros(scheme: Scheme, x: Floats) -> Grid:
    """Scale and zero point of each block of `x` (block, n) that span its values and 0."""
    low, high = np.minimum(x.min(axis=0), 0), np.maximum(x.max(axis=0), 0)
    scale = (high - low) / np.float32(top_level(scheme))
    return zeroed_grid(scheme, scale, low)


def searched_zeros(scheme: Scheme, x: Floats, importance: Floats | None) -> Grid:
    """Scale and zero point of each block of `x` with the least error found, weighted by `importance` if given."""
    plain = nearest_zeros(scheme, x)
    best = Best(x, plain, importance)
    for shrink in _SHRINK[scheme.bits]:
        trial = Grid(storable(plain.scale * np.float32(shrink)), plain.zero, plain.top)
        best.try_grid(trial)
        for _ in range(_REFINEMENTS):
            trial = refit(scheme, x, trial, importance)
            best.try_grid(trial)
    return best.grid


def refit(scheme: Scheme, x: Floats, grid: Grid, importance: Floats | None) -> Grid:
    """The grid whose levels, as `grid` assigned them to `x`, are nearest to `x`."""
    d = grid.levels(x)
    mean_x, mean_d = _mean(x, importance), _mean(d, importance)
    slope = least_squares(x - mean_x, d - mean_d, importance)
    slope = np.where(slope > 0, slope, grid.scale)
    line = zeroed_grid(scheme, slope, mean_x - slope * (mean_d + grid.zero))
    # With the zero point now whole, the best scale is another one.
    shifted = d + (grid.zero - line.zero)
    scale = least_squares(x, shifted, importance)
    return Grid(storable(np.where(scale > 0, scale, line.scale)), line.zero, grid.top)


def _mean(x: Floats, importance: Floats | None) -> Floats:
    if importance is None:
        return sum_of_rows(x * np.float32(1 / len(x)))
    total = np.maximum(sum_of_rows(importance.copy()), np.float32(1e-30))
    mean: Floats = np.divide(sum_of_rows(importance * x), total)
    return mean


def zeroed_grid(scheme: Scheme, scale: Floats, lowest: Floats) -> Grid:
    """Levels of distance `scale` (n,), the lowest near `lowest` (n,), with a whole zero point among them."""
    stored, top = storable(scale), top_level(scheme)
    zero = np.full_like(stored, scheme.zero_point)
    np.divide(-lowest, stored, out=zero, where=stored != 0)
    return Grid(stored, np.clip(np.rint(zero), 0, top), top)
