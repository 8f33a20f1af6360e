"""GPTQ (Frantar et al., "GPTQ: Accurate Post-Training Quantization for Generative Pre-trained Transformers", 2022).

Columns are rounded one after the other; what one gets wrong is made good, as far as the inputs of the linear allow,
by the columns that are still to come. A block's scale and zero point are searched when its first column is reached,
in the weights as they are by then. Blocks go in the order of their importance, and so do the columns of a block.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .curvature import Curvature, Doubles
from .grid import Floats, Grid, symmetric
from .methods import choose_grids
from .schemes import Scheme

# Rows worked on at once. Always as many, so that a row's products are the same whichever rows are beside it.
_TILE = 256


@dataclass(frozen=True)
class Rounded:
    """Levels of a weight (N, K): `q` uint8 (N, blocks * block), `scales` and `zeros` float32 (N, blocks)."""

    q: npt.NDArray[np.uint8]
    scales: Floats
    zeros: Floats


def gptq(scheme: Scheme, weight: Floats, curvature: Curvature, scales: Floats | None = None) -> Rounded:
    """`weight` float32 (N, K) rounded so that its products with inputs like those of `curvature` change least.

    With `scales` (N,) all blocks of a row have that scale; none is searched.
    """
    rows, inner = weight.shape
    blocks = scheme.blocks(inner)
    made = Rounded(
        np.empty((rows, blocks * scheme.block), np.uint8),
        np.empty((rows, blocks), np.float32),
        np.empty((rows, blocks), np.float32),
    )
    for start in range(0, rows, _TILE):
        tile = np.zeros((inner, _TILE))
        part = weight[start : start + _TILE]
        tile[:, : len(part)] = part.T
        fixed = None if scales is None else _fixed_grid(scheme, scales[start : start + _TILE])
        for block, columns, q, grid in _round_tile(scheme, tile, curvature, fixed):
            own, stop = slice(start, start + len(part)), len(part)
            made.q[own, block * scheme.block :][:, : scheme.block] = _zero_level(grid)[:stop, None]
            made.q[own, columns] = q.T[:stop]
            made.scales[own, block] = grid.scale[:stop]
            made.zeros[own, block] = _zero_level(grid)[:stop]
    return made


def _zero_level(grid: Grid) -> Floats:
    return np.broadcast_to(grid.zero, grid.scale.shape)


def _fixed_grid(scheme: Scheme, scales: Floats) -> Grid:
    padded = np.ones(_TILE, np.float32)
    padded[: len(scales)] = scales
    return symmetric(scheme, padded)


def _round_tile(
    scheme: Scheme, tile: Doubles, curvature: Curvature, fixed: Grid | None
) -> Iterator[tuple[int, npt.NDArray[np.intp], Floats, Grid]]:
    """Each block's index, columns, levels (columns, rows) and grid; `tile` (K, rows) is overwritten."""
    order = curvature.order(scheme.block)
    factor = curvature.inverse_factor(scheme.block)
    left = tile[order]
    start = 0
    while start < len(order):
        block = int(order[start]) // scheme.block
        stop = start + min(scheme.block, len(order) - block * scheme.block)
        columns = order[start:stop]
        own = factor[start:stop, start:stop]
        grid = fixed or _block_grid(scheme, left[start:stop], np.diagonal(own) ** -2)
        q, errors = _round_block(left[start:stop], own, grid)
        left[stop:] -= factor[start:stop, stop:].T @ errors
        yield block, columns, q, grid
        start = stop


def _block_grid(scheme: Scheme, left: Doubles, importance: Doubles) -> Grid:
    """The best grid, an error of a column counting as what the columns after it cannot make good."""
    count, rows = left.shape
    x, weights = np.zeros((scheme.block, rows), np.float32), np.zeros((scheme.block, rows), np.float32)
    x[:count], weights[:count] = left, (importance / importance.mean())[:, None]
    return choose_grids(scheme, x, "search", weights)


def _round_block(left: Doubles, factor: Doubles, grid: Grid) -> tuple[Floats, Doubles]:
    """Levels q (columns, rows) and the errors, by which the columns after the block are to change."""
    q, errors = np.empty(left.shape, np.float32), np.empty_like(left)
    for index, column in enumerate(left):
        d = grid.levels(column.astype(np.float32)[None])[0]
        q[index] = d + grid.zero
        errors[index] = (column - d * grid.scale.astype(np.float64)) / factor[index, index]
        left[index + 1 :] -= factor[index, index + 1 :, None] * errors[index]
    return q, errors
