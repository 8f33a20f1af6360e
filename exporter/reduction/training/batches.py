"""Sequences for a causal language model in rows: one a row, filled up, or several packed into rows of one width."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

NO_LABEL = -100


@dataclass(frozen=True)
class Tokens:
    """Ids, of which those from `start` on are to be foretold."""

    ids: Sequence[int]
    start: int


@dataclass(frozen=True)
class Batch:
    """`ids` (B, T); `documents` (B, T), the number of the sequence in its row, -1 where the row is only filled up;
    `labels` (B, T), what each place is to foretell, or NO_LABEL."""

    ids: "Tensor"
    documents: "Tensor"
    labels: "Tensor"

    @property
    def targets(self) -> int:
        """How many places foretell something."""
        return int((self.labels != NO_LABEL).sum())

    def to(self, device: "object") -> "Batch":
        """The same on another device."""
        return Batch(*(each.to(device) for each in (self.ids, self.documents, self.labels)))


def batches(sequences: Sequence[Tokens], most_tokens: int, padding: int) -> list[Batch]:
    """One sequence a row, those of like lengths together, at most `most_tokens` (padding counted) in several rows."""
    ordered = sorted(sequences, key=lambda one: len(one.ids))
    found: list[list[Tokens]] = [[]]
    for one in ordered:
        if found[-1] and len(one.ids) * (len(found[-1]) + 1) > most_tokens:
            found.append([])
        found[-1].append(one)
    return [_batch([[one] for one in group], len(group[-1].ids), padding) for group in found if group]


def packed(sequences: Sequence[Tokens], most_tokens: int, padding: int, width: int) -> list[Batch]:
    """Rows of `width`, each sequence whole in the first row with room; batches all of one shape, the last filled up.

    A sequence longer than `width` is cut. For models that keep the documents of a row apart: see granite.py.
    """
    rows: list[list[Tokens]] = []
    room: list[int] = []
    for one in sorted(sequences, key=lambda one: -len(one.ids)):
        size = min(width, len(one.ids))
        at = next((row for row, left in enumerate(room) if left >= size), len(rows))
        if at == len(rows):
            rows.append([])
            room.append(width)
        rows[at].append(Tokens(one.ids[:width], one.start))
        room[at] -= size
    count = max(1, most_tokens // width)
    rows += [[] for _ in range(-len(rows) % count)]
    return [_batch(rows[first : first + count], width, padding) for first in range(0, len(rows), count)]


def _batch(rows: Sequence[Sequence[Tokens]], width: int, padding: int) -> Batch:
    import numpy as np
    import torch

    shape = len(rows), width
    ids, documents, labels = (np.full(shape, fill, np.int64) for fill in (padding, -1, NO_LABEL))
    for row, sequences in enumerate(rows):
        at = 0
        for number, one in enumerate(sequences):
            end, start = at + len(one.ids), max(1, one.start)
            ids[row, at:end] = one.ids
            documents[row, at:end] = number
            labels[row, at + start - 1 : end - 1] = one.ids[start:]
            at = end
    return Batch(*map(torch.from_numpy, (ids, documents, labels)))
