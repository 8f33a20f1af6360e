"""Uniform steps for entropy-coded weights: one scale a row, a fixed part of its root mean square, in the form of q8.

Of all quantizers followed by an entropy coder a uniform one has almost the least error for its bits (Gish and Pierce,
"Asymptotically Efficient Quantizing", 1968): large levels cost many bits, but they are rare, and nothing is cut off. So
at the bits of q4 the error is smaller than with 16 levels to a block, and no block needs a scale of its own.
"""

import numpy as np

from .grid import Floats, storable, sum_of_rows
from .schemes import Scheme


def row_scales(scheme: Scheme, weight: Floats) -> Floats:
    """The scale of each row of `weight` (N, K), larger for one with far outliers: float32 (N,), values of float16."""
    rows, inner = weight.shape
    squares = np.zeros((1 << max(inner - 1, 0).bit_length(), rows), np.float32)
    np.square(weight.T, out=squares[:inner])
    spread = np.sqrt(sum_of_rows(squares) / np.float32(inner))
    farthest = np.abs(weight).max(axis=1) / np.float32(scheme.zero_point - 1)
    return storable(np.maximum(spread * np.float32(scheme.step), farthest))
