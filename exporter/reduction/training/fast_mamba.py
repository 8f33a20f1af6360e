"""Faster forms of what transformers computes for Mamba-2 layers on a CPU; the results are the same.

transformers' plain PyTorch spreads B and C over the heads and sums up products of five dimensions; here it is `scan`,
and the depthwise convolution is one product a tap.
"""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from exporter.reduction.training.mamba_scan import scan

if TYPE_CHECKING:
    from torch import Tensor

_MODULES = ("granitemoehybrid", "bamba")


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

    if dt_bias is not None:
        dt = dt + dt_bias
    dt = functional.softplus(dt.float()) if dt_softplus else dt.float()
    dt = dt.clamp(*dt_limit)
    x = hidden_states.float()
    y, state = scan(x * dt[..., None], dt * A, B.float(), C.float(), initial_states)
    if D is not None:
        y = y + x * D[:, None]
    y = y.contiguous()
    return (y, state) if return_final_states else y
