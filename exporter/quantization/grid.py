"""The grid of levels that each block is rounded to, and how far the rounded block is from the original.

Blocks are columns here, x float32 (block, n): reductions then run over axis 0, in an order that no machine changes.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .schemes import Scheme

Floats = npt.NDArray[np.float32]

LARGEST_SCALE = 65504
# WGSL lets a GPU read subnormal float16 numbers as zero, so no scale is one.
_SMALLEST = np.float32(2.0**-14)


@dataclass(frozen=True)
class Grid:
    """What n blocks are rounded to: (q - zero) * scale for whole q in [0, top].

    `scale` float32 (n,) holds values of float16; `zero` whole numbers, (n,) or () where all blocks share one.
    """

    scale: Floats
    zero: Floats
    top: int

    def levels(self, x: Floats) -> Floats:
        """q - zero of the level nearest to each value of `x` (block, n), ties to even."""
        with np.errstate(divide="ignore"):
            inverse = np.where(self.scale == 0, np.float32(0), np.float32(1) / self.scale)
        d = x * inverse
        np.rint(d, out=d)
        return np.clip(d, -self.zero, np.float32(self.top) - self.zero, out=d)

    def error(self, x: Floats, importance: Floats | None = None) -> Floats:
        """Squared error of each rounded block (n,), weighted by `importance` (block, n) if given."""
        difference = self.levels(x)
        difference *= self.scale
        difference -= x
        difference *= difference
        if importance is not None:
            difference *= importance
        return sum_of_rows(difference)

    def replaced_by(self, other: "Grid", better: npt.NDArray[np.bool_]) -> "Grid":
        """This grid, but `other` in the blocks where `better` (n,) says so."""
        zero = self.zero if self.zero.ndim == 0 else np.where(better, other.zero, self.zero)
        return Grid(np.where(better, other.scale, self.scale), zero, self.top)


def symmetric(scheme: Scheme, scale: Floats) -> Grid:
    """Grids with the zero point in the middle."""
    return Grid(scale, np.asarray(scheme.zero_point, np.float32), top_level(scheme))


class Best:
    """The best of the grids tried on blocks `x` so far, each block by itself."""

    def __init__(self, x: Floats, first: Grid, importance: Floats | None) -> None:
        self._x, self._importance = x, importance
        self.grid, self._error = first, first.error(x, importance)

    def try_grid(self, trial: Grid) -> None:
        """Take `trial` in the blocks where its error is smaller."""
        error = trial.error(self._x, self._importance)
        better = error < self._error
        self.grid = self.grid.replaced_by(trial, better)
        self._error = np.where(better, error, self._error)


def top_level(scheme: Scheme) -> int:
    """The highest q."""
    return (1 << scheme.bits) - 1


def storable(scale: Floats) -> Floats:
    """`scale` rounded to float16; none becomes subnormal, and only 0 becomes 0."""
    rounded = np.clip(scale, -LARGEST_SCALE, LARGEST_SCALE).astype(np.float16).astype(np.float32)
    floor = np.copysign(_SMALLEST, scale)
    return np.where((np.abs(rounded) < _SMALLEST) & (scale != 0), floor, rounded)


def least_squares(x: Floats, d: Floats, importance: Floats | None = None) -> Floats:
    """The scale s (n,) with the least sum of (x - s d)^2, not yet rounded to float16; 0 where `d` is 0."""
    weighted = d if importance is None else d * importance
    weight = sum_of_rows(weighted * d)
    scale = np.zeros_like(weight)
    np.divide(sum_of_rows(x * weighted), weight, out=scale, where=weight != 0)
    return scale


def sum_of_rows(x: Floats) -> Floats:
    """Sum over axis 0, in an order that no machine changes; `x` has 2**k rows and is overwritten."""
    rows = x.shape[0]
    while rows > 1:
        rows //= 2
        x[:rows] += x[rows : 2 * rows]
    total: Floats = x[0]
    return total
