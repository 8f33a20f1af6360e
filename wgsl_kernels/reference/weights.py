"""Weights as numbers: the float64 values that a stored weight stands for (layouts: `wgsl_kernels.formats`)."""

import numpy as np
from numpy.typing import NDArray

from . import Array, Arrays

_BLOCK = 32


def dequantize(inputs: Arrays, inner: int) -> NDArray[np.float64]:
    """(rows, inner) float64 of `inputs["weight"]`: (rows, inner) floats, or uint8 (rows, blocks, bytes of a block).

    Blocks come with `inputs["scales"]` (rows, blocks); `inputs["zeros"]`, uint8 (rows, bytes of a row), if stored.
    """
    weight = inputs["weight"]
    if weight.dtype != np.uint8:
        return weight.astype(np.float64)
    rows, blocks, block_bytes = weight.shape
    bits = block_bytes * 8 // _BLOCK
    zero_points: Array = np.array(2.0 ** (bits - 1))
    if "zeros" in inputs:
        zero_points = _levels(inputs["zeros"], bits)[:, :blocks, None]
    values = (_levels(weight, bits) - zero_points) * inputs["scales"].astype(np.float64)[..., None]
    return values.reshape(rows, -1)[:, :inner]


def _levels(packed: Array, bits: int) -> NDArray[np.float64]:
    """The unsigned integers of `bits` bits in the last axis of bytes, lowest bits first."""
    levels: Array = packed[..., None] >> np.arange(0, 8, bits, dtype=np.uint8) & (2**bits - 1)
    return levels.reshape(*packed.shape[:-1], -1).astype(np.float64)
