"""Faster forms of what transformers computes for Mamba-2 layers on a CPU; the results are the same.

transformers' plain PyTorch spreads B and C over the heads and sums up products of five dimensions. Here scores are
products of matrices, once for each group, as the chunked form has them (Dao and Gu, arXiv 2405.21060, section 6), and
the depthwise convolution is one product a tap.
"""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

_MODULES = ("granitemoehybrid", "bamba")
_CHUNK = 64


@contextmanager
def fast_mamba() -> Iterator[None]:
    """Within, Mamba-2 layers of transformers' hybrids compute in these forms."""
    modules = [importlib.import_module(f"transformers.models.{name}.modeling_{name}") for name in _MODULES]
    forms = {"mamba2_chunk_scan": chunk_scan, "causal_conv1d_fn": causal_convolution}
    before = [(module, name, getattr(module, name)) for module in modules for name in forms]
    for module, name, _ in before:
        setattr(module, name, forms[name])
    try:
        yield
    finally:
        for module, name, plain in before:
            setattr(module, name, plain)


def causal_convolution(
    hidden_states: "Tensor",
    weight: "Tensor",
    bias: "Tensor | None" = None,
    activation: str | None = None,
    **_: Any,
) -> "Tensor":
    """hidden_states (B, channels, T), weight (channels, taps): the sum over taps of inputs shifted back."""
    from torch.nn import functional
    from transformers.activations import ACT2FN

    taps, tokens = weight.shape[-1], hidden_states.shape[-1]
    padded = functional.pad(hidden_states, (taps - 1, 0))
    out = sum(padded[..., tap : tap + tokens] * weight[:, tap, None] for tap in range(taps))
    if bias is not None:
        out = out + bias[:, None]
    return ACT2FN[activation](out) if activation else out


def chunk_scan(
    hidden_states: "Tensor",
    dt: "Tensor",
    A: "Tensor",
    B: "Tensor",
    C: "Tensor",
    chunk_size: int,
    D: "Tensor | None" = None,
    dt_bias: "Tensor | None" = None,
    initial_states: "Tensor | None" = None,
    dt_softplus: bool = False,
    dt_limit: tuple[float, float] = (0.0, float("inf")),
    return_final_states: bool = False,
    **_: Any,
) -> Any:
    """As transformers' function of that name: hidden_states (B, T, H, P), dt (B, T, H), B and C (B, T, G, N).

    Returns y (B, T, H, P), and with `return_final_states` the state (B, H, P, N) after the last token.
    """
    from torch.nn import functional

    tokens, heads = hidden_states.shape[1:3]
    groups = B.shape[2]
    if dt_bias is not None:
        dt = dt + dt_bias
    dt = functional.softplus(dt.float()) if dt_softplus else dt.float()
    dt = dt.clamp(*dt_limit)
    x = hidden_states.float()
    # In chunks: decay (b, h, c, l), values (b, h, c, l, p), keys and queries (b, g, c, l, n).
    decay = _chunks((dt * A).unsqueeze(-1)).squeeze(-1)
    values, keys, queries = _chunks(x * dt[..., None]), _chunks(B.float()), _chunks(C.float())
    places = decay.cumsum(-1)
    y = _within(queries, keys, values, places)
    if initial_states is not None or return_final_states or places.shape[2] > 1:
        states = _between(keys, values, places, initial_states)
        before = states[:, :, :-1].unflatten(1, (groups, heads // groups))
        seen = queries.unsqueeze(2) @ before.transpose(-1, -2)
        y = y + seen.flatten(1, 2) * places.exp()[..., None]
    y = y.flatten(2, 3)[:, :, :tokens].transpose(1, 2)
    if D is not None:
        y = y + x * D[:, None]
    y = y.contiguous()
    return (y, states[:, :, -1]) if return_final_states else y


def _chunks(sequence: "Tensor") -> "Tensor":
    """(B, T, heads, width) to (B, heads, chunks, _CHUNK, width), zeros at the end: a step of 0 changes no state."""
    from torch.nn import functional

    missing = -sequence.shape[1] % _CHUNK
    padded = functional.pad(sequence, (0, 0, 0, 0, 0, missing)) if missing else sequence
    return padded.unflatten(1, (-1, _CHUNK)).permute(0, 3, 1, 2, 4)


def _within(queries: "Tensor", keys: "Tensor", values: "Tensor", places: "Tensor") -> "Tensor":
    """What the tokens of a chunk see of each other: (b, h, c, l, p)."""
    groups, heads = queries.shape[1], values.shape[1]
    scores = (queries @ keys.transpose(-1, -2)).unsqueeze(2)
    moves = _decays(places, places).unflatten(1, (groups, heads // groups))
    return (scores * moves).flatten(1, 2) @ values


def _between(keys: "Tensor", values: "Tensor", places: "Tensor", initial: "Tensor | None") -> "Tensor":
    """States (b, h, c + 1, p, n) before each chunk and after the last."""
    import torch
    from torch.nn import functional

    groups, heads = keys.shape[1], values.shape[1]
    left = (places[..., -1:] - places).exp()[..., None]
    kept = (values * left).unflatten(1, (groups, heads // groups)).transpose(-1, -2)
    added = (kept @ keys.unsqueeze(2)).flatten(1, 2)
    first = torch.zeros_like(added[:, :, :1]) if initial is None else initial.float().unsqueeze(2)
    sources = torch.cat([first, added], 2)
    ends = functional.pad(places[..., -1].cumsum(-1), (1, 0))
    return (_decays(ends, ends) @ sources.flatten(3)).unflatten(3, added.shape[3:])


def _decays(to: "Tensor", since: "Tensor") -> "Tensor":
    """exp(to_i - since_j) for j <= i, else 0; the last dimension of both spreads to two."""
    import torch

    later = torch.ones(to.shape[-1], since.shape[-1], dtype=torch.bool, device=to.device).triu(1)
    return (to[..., :, None] - since[..., None, :]).masked_fill(later, -torch.inf).exp()
