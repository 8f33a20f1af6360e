"""What was measured, in few numbers: medians, and how far single rounds lie from them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Spread:
    """A median with the least and the largest of all rounds."""

    median: float
    low: float
    high: float
    rounds: int

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        return cls(median(values), min(values), max(values), len(values))


def ratios(milliseconds: Mapping[str, Sequence[float]], ours: str) -> dict[str, Spread]:
    """Peer -> how many times as long as `ours` it took, round by round: over 1 means that ours was faster."""
    own = milliseconds[ours]
    return {
        peer: Spread.of([theirs / mine for theirs, mine in zip(times, own, strict=True)])
        for peer, times in milliseconds.items()
        if peer != ours and times
    }
