"""Learning from the sequences that a model is worst at: most of a late step's are right, and teach nothing.

All are read forwards, which costs a third or less; gradients are those of the worst alone. Source: Jiang et al.,
"Accelerating deep learning by focusing on the biggest losers", arXiv 1910.00762.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from exporter.reduction.training.batches import NO_LABEL, Batch, Tokens, packed

if TYPE_CHECKING:
    from torch import Tensor

# Rows are packed this full, nearly always; where they are not, some sequences less are taken.
_FILLED, _LESS = 0.97, 0.98


def hardest(parts: "Sequence[Batch]", losses: "Sequence[Tensor]", share: float) -> list[Batch]:
    """Packed batches, `share` of `parts` in number and at least one, of those sequences whose losses sum up highest.

    `losses` has that of each target of each part; a sequence without a target is left out.
    """
    rows, width = parts[0].ids.shape
    count = max(1, round(share * len(parts)))
    found = [each for part, values in zip(parts, losses, strict=True) for each in _sequences(part, values)]
    found.sort(key=lambda each: -each[0])
    room = int(_FILLED * count * rows * width)
    taken = _fitting([tokens for _, tokens in found], room)
    while True:
        made = packed(taken, rows * width, 0, width)
        if len(made) <= count:
            return made
        taken = taken[: int(_LESS * len(taken))]


def _fitting(sequences: Sequence[Tokens], room: int) -> list[Tokens]:
    """The first ones, as many as have `room` tokens together."""
    taken: list[Tokens] = []
    for one in sequences:
        room -= len(one.ids)
        if room < 0:
            break
        taken.append(one)
    return taken


def _sequences(part: Batch, losses: "Tensor") -> list[tuple[float, Tokens]]:
    """Each sequence of a batch with the sum of its losses."""
    import torch

    rows, width = part.ids.shape
    spread = torch.zeros(rows, width, device=losses.device)
    spread[part.labels.to(losses.device) != NO_LABEL] = losses.detach().float()
    ids, documents, labels, values = (
        each.tolist() for each in (part.ids, part.documents, part.labels, spread.cpu())
    )
    found = []
    for row in range(rows):
        for begin, end in _ranges(documents[row]):
            start = next((at for at in range(begin, end) if labels[row][at] != NO_LABEL), None)
            if start is not None:
                found.append((sum(values[row][start:end]), Tokens(ids[row][begin:end], start + 1 - begin)))
    return found


def _ranges(documents: Sequence[int]) -> list[tuple[int, int]]:
    """Where each document of a row begins and ends; what only fills the row up is none."""
    edges = [
        0,
        *(at for at in range(1, len(documents)) if documents[at] != documents[at - 1]),
        len(documents),
    ]
    return [(begin, end) for begin, end in pairwise(edges) if documents[begin] >= 0]
