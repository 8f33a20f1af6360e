"""Sequences for a causal language model, padded into batches of about equal lengths."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Tokens:
    """Ids, of which those from `start` on are to be foretold."""

    ids: Sequence[int]
    start: int


@dataclass(frozen=True)
class Batch:
    """`ids` (B, T), filled up on the right; `rows`, `places` (N): where what foretells each of `targets` (N) stands."""

    ids: "Tensor"
    rows: "Tensor"
    places: "Tensor"
    targets: "Tensor"

    def to(self, device: "object") -> "Batch":
        """The same on another device."""
        return Batch(*(each.to(device) for each in (self.ids, self.rows, self.places, self.targets)))


def batches(sequences: Sequence[Tokens], most_tokens: int, padding: int) -> list[Batch]:
    """All sequences, those of like lengths together, at most `most_tokens` (padding counted) in a batch of several."""
    ordered = sorted(sequences, key=lambda one: len(one.ids))
    found: list[list[Tokens]] = [[]]
    for one in ordered:
        if found[-1] and len(one.ids) * (len(found[-1]) + 1) > most_tokens:
            found.append([])
        found[-1].append(one)
    return [_padded(group, padding) for group in found if group]


def _padded(group: Sequence[Tokens], padding: int) -> Batch:
    import torch

    width = max(len(one.ids) for one in group)
    ids = torch.full((len(group), width), padding)
    rows, places = [], []
    for row, one in enumerate(group):
        ids[row, : len(one.ids)] = torch.tensor(one.ids)
        wanted = range(max(1, one.start), len(one.ids))
        rows += [row] * len(wanted)
        places += [place - 1 for place in wanted]
    row, place = torch.tensor(rows), torch.tensor(places)
    return Batch(ids, row, place, ids[row, place + 1])
