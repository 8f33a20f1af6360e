"""Rotary embedding, for the twins that rotate."""

import numpy as np
from numpy.typing import NDArray

from . import Array, Constants, Step


def rotated(rows: NDArray[np.float64], table: Array, constants: Constants, step: Step) -> NDArray[np.float64]:
    """Half-split rotary embedding (Su et al., RoFormer, 2021) of rows (tokens, width) at positions `step.past` on.

    `table` is (positions, rotary_dim / 2, 2) of cos and sin. The first rotary_dim elements of each head turn, the
    rest passes through. Returns (tokens, width).
    """
    head_dim, rotary_dim = int(constants["head_dim"]), int(constants["rotary_dim"])
    heads = rows.reshape(len(rows), -1, head_dim)
    turns = table[step.past : step.past + step.tokens, None].astype(np.float64)
    cos, sin = turns[..., 0], turns[..., 1]
    low, high, rest = np.split(heads, [rotary_dim // 2, rotary_dim], axis=-1)
    turned = np.concatenate([low * cos - high * sin, high * cos + low * sin, rest], axis=-1)
    return turned.reshape(rows.shape)
