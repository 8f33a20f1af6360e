"""How often each byte is counted to come, in 4096ths: the tables that the coder and its reader share."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

TABLE_BITS = 12
TOTAL = 1 << TABLE_BITS
SYMBOLS = 256

Bytes = npt.NDArray[np.uint8]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Table:
    """`frequency` (256,) sums to 4096, 0 for bytes that do not come, none above 4095."""

    frequency: Counts

    @property
    def bits(self) -> npt.NDArray[np.float64]:
        """What each byte costs (256,); infinite for one that does not come."""
        with np.errstate(divide="ignore"):
            cost: npt.NDArray[np.float64] = TABLE_BITS - np.log2(self.frequency)
        return cost

    @property
    def begins(self) -> Counts:
        """The first slot of each byte (256,)."""
        return np.cumsum(self.frequency) - self.frequency


def count(data: Bytes) -> Counts:
    """How often each byte is in `data` (256,)."""
    return np.bincount(data, minlength=SYMBOLS).astype(np.int64)


def table_of(counts: Counts) -> Table:
    """The table for bytes that came `counts` times. In whole numbers only, so that it is the same on every machine."""
    total = int(counts.sum())
    shares = counts * TOTAL
    frequency = np.where(counts > 0, np.maximum(shares // total, 1), 0)
    short = TOTAL - int(frequency.sum())
    if short > 0:
        nearest = np.argsort(-(shares % total) * (counts > 0), kind="stable")[:short]
        frequency[nearest] += 1
    while short < 0:
        frequency[np.argmax(frequency)] -= 1
        short += 1
    if frequency.max() == TOTAL:  # 4096 has no room in 12 bits: some other byte is counted, too
        frequency[int(np.argmax(frequency)) - 1] = 1
        frequency[np.argmax(frequency)] -= 1
    return Table(frequency)
