"""What lies in a shard, as the coder sees it: spans of numbers whose first bytes are alike, hence planes of bytes."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .frequencies import Bytes, Table, count, table_of

# Numbers that come less often in succession are not worth a run of their own.
_LEAST_RUN = 4
_RUN_BYTES = 2
_SLAB = 1 << 22


@dataclass(frozen=True)
class Span:
    """Bytes [offset, offset + bytes) of a shard hold numbers of `width` bytes: 1, 2 or 4."""

    offset: int
    bytes: int
    width: int


@dataclass(frozen=True)
class Plane:
    """Every `stride`-th byte of a span from `first` on; without a table they are stored as they are."""

    first: int
    stride: int
    table: Table | None


@dataclass(frozen=True)
class Content:
    """A span's bytes and how they are stored: by planes, or each number once for `run` of them."""

    span: Span
    data: Bytes
    planes: tuple[Plane, ...]
    run: int = 0

    @property
    def unit(self) -> int:
        """The fewest bytes of the span that can be stored apart from the others."""
        return self.span.width * (self.run or 1)


def content_of(span: Span, shard: Bytes) -> Content:
    """How the bytes of `span` are best stored."""
    data = shard[span.offset : span.offset + span.bytes]
    run = _run_of(data) if span.width == _RUN_BYTES else 0
    if run:
        return Content(span, data, (), run)
    return Content(span, data, tuple(_plane(data, first, span.width) for first in range(span.width)))


def _plane(data: Bytes, first: int, stride: int) -> Plane:
    counts = sum((count(part[first::stride]) for part in _slabs(data)), np.zeros(256, np.int64))
    table = table_of(counts)
    coded = float(counts[counts > 0] @ table.bits[counts > 0]) / 8 + 2 * np.count_nonzero(counts)
    return Plane(first, stride, table if coded < 0.99 * counts.sum() else None)


def _run_of(data: Bytes) -> int:
    """How many equal half-words follow each other everywhere in `data`; 0 where they are too few."""
    words: npt.NDArray[np.uint16] = data.view("<u2")
    run = len(words)
    for start in range(1, len(words), _SLAB):
        part = words[start - 1 : start + _SLAB]
        changes = np.flatnonzero(part[1:] != part[:-1]) + start
        run = int(np.gcd.reduce(changes, initial=run))
        if run < _LEAST_RUN:
            return 0
    return run if _LEAST_RUN <= run < 1 << 16 else 0


def _slabs(data: Bytes) -> Iterator[Bytes]:
    for start in range(0, len(data), _SLAB):
        yield data[start : start + _SLAB]
