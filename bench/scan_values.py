"""Inputs of a Mamba-2 scan: the same seeded values for every engine, and where they lie in a plan's rows."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.workloads import SEED
from wgsl_kernels import Tier

Array = NDArray[Any]

# Bindings of a plan's kernels by the names that ONNX has for the same.
WEIGHTS = {"a_log": "A_log", "dt_bias": "dt_bias", "d": "D"}


def scan_values(constants: Mapping[str, float], tokens: int, tier: Tier) -> dict[str, Array]:
    """Float32 of one sequence by ONNX's names; what the tier holds in 16 bits is exact in them.

    A head forgets a part of its state between none of it and all of it a token, as trained heads do.
    """
    heads, groups = int(constants["heads"]), int(constants["groups"])
    head_dim, state_size = int(constants["head_dim"]), int(constants["state_size"])
    source = np.random.default_rng(SEED + tokens)
    rows = {"x": heads * head_dim, "dt": heads, "B": groups * state_size, "C": groups * state_size}
    elem = np.float16 if tier.elem == "f16" else np.float32
    values = {
        name: source.standard_normal((1, tokens, width)).astype(elem) for name, width in rows.items()
    } | {
        "A_log": source.uniform(-1, 4, heads),
        "D": source.standard_normal(heads),
        "dt_bias": source.uniform(-5, 0, heads),
        "past_state": source.standard_normal((1, heads, state_size, head_dim)),
    }
    return {name: array.astype(np.float32) for name, array in values.items()}


def rows_of(values: Mapping[str, Array], constants: Mapping[str, float], tier: Tier) -> dict[str, Array]:
    """`xbc` and `dt` as the plan's kernels read them: each part at its offset in a row, all else 0."""
    found = {
        "xbc": _laid(values, constants, "stride", {"x": "x_offset", "B": "b_offset", "C": "c_offset"}),
        "dt": _laid(values, constants, "dt_stride", {"dt": "dt_offset"}),
    }
    return {
        name: rows.astype(np.float16 if tier.elem == "f16" else np.float32) for name, rows in found.items()
    }


def _laid(
    values: Mapping[str, Array], constants: Mapping[str, float], stride: str, offsets: Mapping[str, str]
) -> Array:
    rows = np.zeros((values["dt"].shape[1], int(constants[stride])), np.float32)
    for name, offset in offsets.items():
        part, begin = values[name][0], int(constants[offset])
        rows[:, begin : begin + part.shape[1]] = part
    return rows
