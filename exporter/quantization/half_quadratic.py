"""Half-quadratic rounding after HQQ (Badri and Shaji, "Half-Quadratic Quantization of Large Machine Learning
Models", 2023): outliers are allowed to be wrong, so that they do not spoil the rest of their block.

The error of a block is split into a sparse part e, which a norm with p < 1 favours, and a small rest. Two steps
alternate: e becomes the shrunken error of the present grid; the grid is fitted to x - e in the least-squares sense.
p is 1/2, whose derivative needs a square root only, which rounds alike everywhere. Errors are counted in steps of
the grid, so the weights' size does not matter. Unlike the paper, zero points are whole numbers and scales move, too.
"""

import numpy as np

from .grid import Floats, Grid, least_squares, storable, sum_of_rows
from .schemes import Scheme
from .zero_search import refit

_ITERATIONS = 12
_BETA, _GROWTH = 4.0, 1.1


def half_quadratic(scheme: Scheme, x: Floats, first: Grid) -> Grid:
    """The grid of each block of `x` (block, n) with the least sum of sqrt |error|, beginning at `first`."""
    grid, best, least = first, first, _norm(x, first)
    beta = _BETA
    for _ in range(_ITERATIONS):
        target = x - _sparse_error(x, grid, np.float32(beta))
        grid = refit(scheme, target, grid, None) if scheme.zeros else _rescale(target, x, grid)
        norm = _norm(x, grid)
        better = norm < least
        best, least = best.replaced_by(grid, better), np.where(better, norm, least)
        beta *= _GROWTH
    return best


def _sparse_error(x: Floats, grid: Grid, beta: np.float32) -> Floats:
    """The error of each value, shrunken towards 0: what is within a step or so of its level becomes 0."""
    error = x - grid.levels(x) * grid.scale
    step = np.abs(grid.scale)
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.abs(error) / step
        kept = np.maximum(size - 1 / (beta * np.sqrt(size)), 0)
    kept = np.where(np.isfinite(kept), kept, 0)
    shrunken: Floats = np.copysign(kept * step, error)
    return shrunken


def _rescale(target: Floats, x: Floats, grid: Grid) -> Grid:
    return Grid(storable(least_squares(target, grid.levels(x))), grid.zero, grid.top)


def _norm(x: Floats, grid: Grid) -> Floats:
    return sum_of_rows(np.sqrt(np.abs(x - grid.levels(x) * grid.scale)))
