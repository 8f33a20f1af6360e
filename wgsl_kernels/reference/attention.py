"""Twins of attention over the cache and inside packed sequences."""

import numpy as np
from numpy.typing import NDArray

from . import Array, Arrays, Constants, Step, untouched, view

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
_TILE = 128


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


def attention_split(inputs: Arrays, constants: Constants, step: Step) -> Arrays:
    """What each split of the cache adds to attention of one token: every splits-th tile of 128 rows that it sees.

    Returns `mixes` (splits, heads, head_dim), values weighted by exp(score - largest score of the split), and `sums`
    (splits, heads, 2) of (largest score, sum of the weights). Splits without a row are left alone.
    """
    heads, kv_heads, splits = (int(constants[name]) for name in ("heads", "kv_heads", "splits"))
    end = step.past + 1
    low = max(end - (int(constants["window"]) or end), 0)
    query = _view(inputs, "query", constants, step)[0]
    mixes, sums = untouched(inputs["mixes"]), untouched(inputs["sums"])
    split_of = np.arange(end - low) // _TILE % splits
    for split in range(int(split_of.max()) + 1):
        rows = low + np.flatnonzero(split_of == split)
        key, value = (
            np.repeat(_heads(inputs[name][rows].astype(np.float64), kv_heads), heads // kv_heads, axis=1)
            for name in ("key", "value")
        )
        scores = _capped(np.einsum("hd,rhd->hr", query, key) * constants["scale"], constants["softcap"])
        weights = np.exp(scores - scores.max(axis=1, keepdims=True))
        mixes[split] = np.einsum("hr,rhd->hd", weights, value)
        sums[split] = np.stack([scores.max(axis=1), weights.sum(axis=1)], axis=-1)
    return {"mixes": mixes, "sums": sums}


def attention_merge(inputs: Arrays, constants: Constants, step: Step) -> Arrays:
    """The splits put together: (1, heads * head_dim)."""
    end = step.past + 1
    tiles = -(-min(end, int(constants["window"]) or end) // _TILE)
    live = slice(0, min(tiles, int(constants["splits"])))
    sums, mixes = inputs["sums"][live].astype(np.float64), inputs["mixes"][live].astype(np.float64)
    fade = np.exp(sums[..., 0] - sums[..., 0].max(axis=0))
    mixed = (fade[..., None] * mixes).sum(axis=0) / (fade * sums[..., 1]).sum(axis=0)[:, None]
    return {"out": mixed.reshape(1, -1)}


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


def _capped(scores: Floats, softcap: float) -> Floats:
    capped: Floats = softcap * np.tanh(scores / softcap) if softcap else scores
    return capped


def _attend(
    query: Floats, key: Floats, value: Floats, sees: Mask, scale: float, softcap: float = 0.0
) -> Floats:
    """Softmax attention of (tokens, heads, head_dim) over (rows, heads, head_dim); `sees` is (tokens, rows)."""
    scores = _capped(np.einsum("thd,rhd->htr", query, key) * scale, softcap)
    scores = np.where(sees, scores, -np.inf)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    mixed: Floats = np.einsum("htr,rhd->thd", weights, value).reshape(len(query), -1)
    return mixed
