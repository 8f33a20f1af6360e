"""Reads ahead: other processes make the next steps' batches while this one computes."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from exporter.reduction.training.batches import Batch

# What a step reads, which depends on its number alone: so a run that is resumed reads the same.
Data = Callable[[int], Sequence[Batch]]
_AHEAD = 4


def read(data: Data, first: int, end: int, workers: int) -> Iterator[tuple[int, Sequence[Batch]]]:
    """Each step from `first` up to `end` with its batches, in order; without workers they are made here."""
    from torch.utils.data import DataLoader

    if first >= end:
        return
    steps: Any = _Steps(data, first, end)
    ahead = _AHEAD if workers else None
    loader = DataLoader(steps, batch_size=None, num_workers=workers, prefetch_factor=ahead)
    yield from enumerate(loader, first)


@dataclass(frozen=True)
class _Steps:
    """The steps as torch's DataLoader reads them."""

    data: Data
    first: int
    end: int

    def __len__(self) -> int:
        return self.end - self.first

    def __getitem__(self, index: int) -> Sequence[Batch]:
        return self.data(self.first + index)
