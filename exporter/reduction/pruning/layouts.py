"""Tensors as sums and products of named dimensions, and which of their values stay when some of those shrink.

A dimension is written "gate + up" where two stretches follow each other, and "heads*head_dim" where each of the first
has all of the second; a name stands for its size, a number for itself.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from math import prod

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.int64]
Sizes = Mapping[str, int]
Dims = tuple[str, ...]
Kept = Mapping[str, Indices]

_EXPERTS = "experts"


def extent(dim: str, sizes: Sizes) -> int:
    """How long a dimension is."""
    return sum(prod(_size(name, sizes) for name in block) for block in _blocks(dim))


def shape_of(dims: Dims, sizes: Sizes) -> tuple[int, ...]:
    """The shape of a tensor."""
    return tuple(extent(dim, sizes) for dim in dims)


def kept_places(dim: str, sizes: Sizes, kept: Kept) -> Indices:
    """The places along `dim` that stay, ascending: those whose names are all kept; a name without a row is whole."""
    found, start = [], 0
    for block in _blocks(dim):
        places = np.zeros(1, np.int64)
        for name in block:
            size = _size(name, sizes)
            own = kept.get(name, np.arange(size))
            places = (places[:, None] * size + own).ravel()
        found.append(start + places)
        start += prod(_size(name, sizes) for name in block)
    return np.concatenate(found)


def kept_pieces(dims: Dims, sizes: Sizes, kept: Kept) -> Iterator[tuple[Indices, Indices]]:
    """Rows and the columns of each that stay, in order; rows are counted over all axes but the last.

    Neurons belong to an expert: `kept["expert_mlp"]` is (experts, neurons), and there is a piece for each expert.
    """
    if dims[0] != _EXPERTS or "expert_mlp" not in kept:
        yield _rows(dims[:-1], sizes, kept), kept_places(dims[-1], sizes, kept)
        return
    below = prod(shape_of(dims[1:-1], sizes))
    for expert in kept.get(_EXPERTS, np.arange(sizes[_EXPERTS])):
        own = {**kept, "expert_mlp": kept["expert_mlp"][expert]}
        rows = expert * below + _rows(dims[1:-1], sizes, own)
        yield rows, kept_places(dims[-1], sizes, own)


def _rows(dims: Dims, sizes: Sizes, kept: Kept) -> Indices:
    rows = np.zeros(1, np.int64)
    for dim in dims:
        rows = (rows[:, None] * extent(dim, sizes) + kept_places(dim, sizes, kept)).ravel()
    return rows


@cache
def _blocks(dim: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(block.split("*")) for block in dim.split(" + "))


def _size(name: str, sizes: Sizes) -> int:
    return int(name) if name.isdigit() else sizes[name]
