"""Twins of the chunked Mamba-2 prefill. Chained, they are the recurrence of `ssm.ssm`, chunk by chunk.

Rows are aligned where nothing else is said: the part of each head and group is filled up to a multiple of 4. What fills
it takes part in the arithmetic, as it does on the GPU; `ssd_align` makes it zero.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from . import Arrays, Constants, Step, untouched, view
from .ssm import step_sizes

Floats = NDArray[np.float64]
CHUNK = 64
SCORE_TILE = 4


def ssd_align(inputs: Arrays, constants: Constants, step: Step) -> Arrays:
    """x, B and C of each token, the part of each head and group filled up to a multiple of 4 with zeros."""
    out = untouched(inputs["out"])
    if step.done:
        return {"out": out}
    heads, groups, head_dim, state_size = _numbers(constants, "heads", "groups", "head_dim", "state_size")
    parts = (
        ("x_offset", heads, head_dim),
        ("b_offset", groups, state_size),
        ("c_offset", groups, state_size),
    )
    out[: step.tokens] = np.concatenate(
        [
            np.pad(part, ((0, 0), (0, 0), (0, -width % 4))).reshape(step.tokens, -1)
            for name, count, width in parts
            for part in (_part(inputs, constants, step, name, count, width),)
        ],
        axis=1,
    )
    return {"out": out}


def ssd_decay(inputs: Arrays, constants: Constants, step: Step) -> Arrays:
    """`moves` (tokens, heads, 4): dt'; the sum of -dt' A from the chunk's first token on, as a whole number and a
    fraction; and dt' times what the rest of the chunk leaves of it."""
    moves = untouched(inputs["moves"])
    if not step.done:
        sizes = step_sizes(inputs, constants, step)
        lost = np.minimum(sizes * np.exp(inputs["a_log"].astype(np.float64)), 200.0)
        for chunk in chunks(step.tokens):
            place = np.cumsum(lost[chunk], axis=0)
            weight = sizes[chunk] * np.exp(place - place[-1])
            moves[chunk] = np.stack([sizes[chunk], np.floor(place), place % 1, weight], axis=-1)
    return {"moves": moves}


def ssd_scores(inputs: Arrays, constants: Constants, step: Step) -> Arrays:
    """`scores` (chunks, groups, 64, 64): element (j, i) is B_j . C_i, in tiles of 4 x 4 with i >= j somewhere. Tokens
    past the last one count as zero."""
    scores = untouched(inputs["scores"])
    if step.done:
        return {"scores": scores}
    b, c = (_side(inputs, constants, step, name) for name in ("b_offset", "c_offset"))
    tile = np.arange(CHUNK) // SCORE_TILE
    known = tile[None, :] >= tile[:, None]
    for at, chunk in enumerate(chunks(step.tokens)):
        short = ((0, CHUNK - len(b[chunk])), (0, 0), (0, 0))
        products = np.einsum("jgn,ign->gji", np.pad(b[chunk], short), np.pad(c[chunk], short))
        scores[at][:, known] = products[:, known]
    return {"scores": scores}


def ssd_states(inputs: Arrays, constants: Constants, step: Step) -> Arrays:
    """`states` (chunks, heads, state_size, head_dim, both filled up to a multiple of 4): the state before each chunk.
    `state` (heads, state_size, head_dim): that after the last one."""
    states, state = untouched(inputs["states"]), untouched(inputs["state"])
    if step.done:
        return {"states": states, "state": state}
    heads, groups = _numbers(constants, "heads", "groups")
    x = _x(inputs, constants, step)
    b = _side(inputs, constants, step, "b_offset").repeat(heads // groups, axis=1)
    moves = inputs["moves"].astype(np.float64)
    padded = np.pad(state, [(0, 0), *((0, -width % 4) for width in state.shape[1:])])
    for at, chunk in enumerate(chunks(step.tokens)):
        states[at] = padded
        padded *= np.exp(-moves[chunk][-1, :, 1:3].sum(axis=-1))[:, None, None]
        padded += np.einsum("th,thn,thp->hnp", moves[chunk][:, :, 3], b[chunk], x[chunk])
    return {"states": states, "state": padded[:, : state.shape[1], : state.shape[2]]}


def ssd_out(inputs: Arrays, constants: Constants, step: Step) -> Arrays:
    """y_i = left_i C_i^T S + sum over j <= i of (C_i . B_j) left_ji dt'_j x_j + D x_i, as `out`."""
    out = untouched(inputs["out"])
    if step.done:
        return {"out": out}
    heads, groups, head_dim = _numbers(constants, "heads", "groups", "head_dim")
    x = _x(inputs, constants, step)
    c = _side(inputs, constants, step, "c_offset").repeat(heads // groups, axis=1)
    states = inputs["states"].astype(np.float64)
    scores = inputs["scores"].astype(np.float64).repeat(heads // groups, axis=1)
    moves = inputs["moves"].astype(np.float64)
    skip = inputs["d"].astype(np.float64)[:, None] * constants["has_d"]
    for at, chunk in enumerate(chunks(step.tokens)):
        sizes, place = moves[chunk][:, :, 0], moves[chunk][:, :, 1:3].sum(axis=-1)
        begin, end = np.tril_indices(len(place))[::-1]
        mix = np.zeros((len(place), len(place), heads))
        mix[begin, end] = np.exp(place[begin] - place[end]) * sizes[begin] * scores[at][:, begin, end].T
        y = np.einsum("ihn,hnp,ih->ihp", c[chunk], states[at], np.exp(-place))
        y += np.einsum("jih,jhp->ihp", mix, x[chunk]) + skip * x[chunk]
        out[chunk] = y[:, :, :head_dim].reshape(len(place), -1)
    return {"out": out}


def chunks(tokens: int) -> Iterator[slice]:
    """The chunks of so many tokens, the last one as short as it is."""
    return (slice(first, min(first + CHUNK, tokens)) for first in range(0, tokens, CHUNK))


def _numbers(constants: Constants, *names: str) -> tuple[int, ...]:
    return tuple(int(constants[name]) for name in names)


def _part(inputs: Arrays, constants: Constants, step: Step, offset: str, count: int, width: int) -> Floats:
    """(tokens, count, width) of `xbc`, packed."""
    stride, start = _numbers(constants, "stride", offset)
    return view(inputs["xbc"], step.tokens, stride, start, count * width).reshape(step.tokens, count, width)


def _x(inputs: Arrays, constants: Constants, step: Step) -> Floats:
    """x, (tokens, heads, head_dim), of aligned rows."""
    heads, head_dim = _numbers(constants, "heads", "head_dim")
    return _part(inputs, constants, step, "x_offset", heads, -(-head_dim // 4) * 4)


def _side(inputs: Arrays, constants: Constants, step: Step, offset: str) -> Floats:
    """B or C, (tokens, groups, state_size), of aligned rows."""
    groups, state_size = _numbers(constants, "groups", "state_size")
    return _part(inputs, constants, step, offset, groups, -(-state_size // 4) * 4)
