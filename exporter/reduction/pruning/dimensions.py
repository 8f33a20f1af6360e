"""How the axes of a tensor are made of what can be pruned: heads, channels, neurons, experts, hidden values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Axis:
    """What can be pruned: `name`, its `size`, and `group`, how many neighbours lose as many as any others."""

    name: str
    size: int
    group: int


@dataclass(frozen=True)
class Fixed:
    """Entries that stay."""

    size: int

    def kept(self, _: Mapping[str, Indices]) -> Indices:
        """All of them."""
        return np.arange(self.size)


@dataclass(frozen=True)
class Along:
    """`each` neighbouring entries for each index of `axis`."""

    axis: Axis
    each: int = 1

    @property
    def size(self) -> int:
        """Entries before pruning."""
        return self.axis.size * self.each

    def kept(self, keep: Mapping[str, Indices]) -> Indices:
        """Entries of the indices that are kept."""
        if self.axis.name not in keep:
            return np.arange(self.size)
        return (keep[self.axis.name][:, None] * self.each + np.arange(self.each)).reshape(-1)


@dataclass(frozen=True)
class Grid:
    """An entry for each index of `outer` and of `inner`, which counts faster."""

    outer: Axis
    inner: Axis

    @property
    def size(self) -> int:
        """Entries before pruning."""
        return self.outer.size * self.inner.size

    def kept(self, keep: Mapping[str, Indices]) -> Indices:
        """Entries whose two indices are kept."""
        outer = keep.get(self.outer.name, np.arange(self.outer.size))
        inner = keep.get(self.inner.name, np.arange(self.inner.size))
        return (outer[:, None] * self.inner.size + inner).reshape(-1)


Part = Fixed | Along | Grid
Dimension = Sequence[Part]


def kept_entries(dimension: Dimension, keep: Mapping[str, Indices]) -> Indices | None:
    """Entries of a dimension that are kept, in order; None where all are."""
    found, start = [], 0
    for part in dimension:
        found.append(start + part.kept(keep))
        start += part.size
    whole = np.concatenate(found)
    return None if len(whole) == start else whole


def size_of(dimension: Dimension) -> int:
    """Entries before pruning."""
    return sum(part.size for part in dimension)
