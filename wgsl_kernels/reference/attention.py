"""Twins of attention over the cache and inside packed sequences."""

import numpy as np
from numpy.typing import NDArray

from . import Array, Arrays, Constants, Step, view

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


def attention_causal(inputs: Arrays, constants: Constants, step: Step) -> Arrays:
    """Grouped-query attention: token t sees cache rows 0 .. step.past + t, of these the last `window` if it is not 0.

    Scores are bounded to softcap * tanh(score / softcap) if that is not 0. Returns (tokens, heads * head_dim).
    """
    heads, kv_heads = int(constants["heads"]), int(constants["kv_heads"])
    rows = step.past + step.tokens
    key, value = (
        np.repeat(_heads(inputs[name][:rows].astype(np.float64), kv_heads), heads // kv_heads, axis=1)
        for name in ("key", "value")
    )
    last = step.past + np.arange(step.tokens)[:, None]
    window = int(constants["window"]) or rows
    sees = (np.arange(rows) <= last) & (np.arange(rows) > last - window)
    query = _view(inputs, "query", constants, step)
    return {"out": _attend(query, key, value, sees, constants["scale"], constants["softcap"])}


def attention_bidirectional(inputs: Arrays, constants: Constants, step: Step) -> Arrays:
    """Attention inside each of the packed sequences. Returns (tokens, heads * head_dim)."""
    query, key, value = (_view(inputs, name, constants, step) for name in ("query", "key", "value"))
    return {"out": _attend(query, key, value, _same_sequence(inputs["bounds"], step), constants["scale"])}


def _same_sequence(bounds: Array, step: Step) -> Mask:
    sequence = np.searchsorted(bounds[1:], np.arange(step.tokens), side="right")
    same: Mask = sequence[:, None] == sequence[None]
    return same


def _view(inputs: Arrays, name: str, constants: Constants, step: Step) -> Floats:
    stride, offset, heads = (int(constants[key]) for key in (f"{name}_stride", f"{name}_offset", "heads"))
    rows = view(inputs[name], step.tokens, stride, offset, heads * int(constants["head_dim"]))
    return _heads(rows, heads)


def _heads(rows: Floats, heads: int) -> Floats:
    return rows.reshape(len(rows), heads, -1)


def _attend(
    query: Floats, key: Floats, value: Floats, sees: Mask, scale: float, softcap: float = 0.0
) -> Floats:
    """Softmax attention of (tokens, heads, head_dim) over (rows, heads, head_dim); `sees` is (tokens, rows)."""
    scores = np.einsum("thd,rhd->htr", query, key) * scale
    if softcap:
        scores = softcap * np.tanh(scores / softcap)
    scores = np.where(sees, scores, -np.inf)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    mixed: Floats = np.einsum("htr,rhd->thd", weights, value).reshape(len(query), -1)
    return mixed
