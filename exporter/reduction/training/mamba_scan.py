"""The Mamba-2 scan in chunks, as products of matrices; plain PyTorch that torch.compile takes whole.

Source: Dao and Gu, "Transformers are SSMs", arXiv 2405.21060, section 6. Scores are computed once for each group.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

CHUNK = 64


def scan(
    values: "Tensor", decay: "Tensor", keys: "Tensor", queries: "Tensor", initial: "Tensor | None" = None
) -> "tuple[Tensor, Tensor]":
    """S_t = exp(decay_t) S_(t-1) + values_t keys_t^T and y_t = S_t queries_t for each head.

    values (B, T, H, P), decay (B, T, H) in float32, keys and queries (B, T, G, N), initial (B, H, P, N).
    Returns y (B, T, H, P) and the state (B, H, P, N) after the last token, both float32.
    """
    tokens, heads, groups = values.shape[1], values.shape[2], keys.shape[2]
    v, k, q = _chunks(values), _chunks(keys), _chunks(queries)
    places = _chunks(decay.unsqueeze(-1)).squeeze(-1).cumsum(-1)
    y = _within(q, k, v, places)
    states = _between(k, v, places, initial)
    before = states[:, :, :-1].unflatten(1, (groups, heads // groups)).to(q.dtype)
    seen = q.unsqueeze(2) @ before
    y = y.float() + seen.flatten(1, 2) * places.exp()[..., None]
    return y.flatten(2, 3)[:, :, :tokens].transpose(1, 2), states[:, :, -1].transpose(-1, -2)


def _chunks(sequence: "Tensor") -> "Tensor":
    """(B, T, heads, width) to (B, heads, chunks, CHUNK, width), zeros at the end: a step of 0 changes no state."""
    from torch.nn import functional

    missing = -sequence.shape[1] % CHUNK
    padded = functional.pad(sequence, (0, 0, 0, 0, 0, missing)) if missing else sequence
    return padded.unflatten(1, (-1, CHUNK)).permute(0, 3, 1, 2, 4)


def _within(queries: "Tensor", keys: "Tensor", values: "Tensor", places: "Tensor") -> "Tensor":
    """What the tokens of a chunk see of each other: (b, h, c, l, p)."""
    groups, heads = queries.shape[1], values.shape[1]
    scores = (queries @ keys.transpose(-1, -2)).unsqueeze(2)
    moves = _decays(places).unflatten(1, (groups, heads // groups))
    return (scores * moves).flatten(1, 2).to(values.dtype) @ values


def _between(keys: "Tensor", values: "Tensor", places: "Tensor", initial: "Tensor | None") -> "Tensor":
    """States (b, h, c + 1, n, p) before each chunk and after the last, float32.

    They lie so that no product of values, forwards or backwards, has to be turned.
    """
    import torch
    from torch.nn import functional

    groups, heads = keys.shape[1], values.shape[1]
    left = (places[..., -1:] - places).exp()[..., None]
    kept = (values * left).to(keys.dtype).unflatten(1, (groups, heads // groups))
    added = (keys.unsqueeze(2).transpose(-1, -2) @ kept).flatten(1, 2).float()
    first = (
        torch.zeros_like(added[:, :, :1])
        if initial is None
        else initial.float().transpose(-1, -2).unsqueeze(2)
    )
    sources = torch.cat([first, added], 2)
    ends = functional.pad(places[..., -1].cumsum(-1), (1, 0))
    return (_decays(ends) @ sources.flatten(3)).unflatten(3, added.shape[3:])


def _decays(places: "Tensor") -> "Tensor":
    """exp(places_i - places_j) for j <= i, else 0; the last dimension spreads to two."""
    import torch

    size = places.shape[-1]
    later = torch.ones(size, size, dtype=torch.bool, device=places.device).triu(1)
    return (places[..., :, None] - places[..., None, :]).masked_fill(later, -torch.inf).exp()
