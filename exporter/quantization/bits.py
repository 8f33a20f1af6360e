"""Small whole numbers packed into bytes, the first in a byte's lowest bits."""

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]


def pack_bits(q: Bytes, bits: int) -> Bytes:
    """(..., n) numbers of `bits` (2, 4 or 8) as (..., ceil(n * bits / 8)) bytes; bits left over are 0."""
    count = 8 // bits
    padding = -q.shape[-1] % count
    if padding:
        q = np.concatenate([q, np.zeros((*q.shape[:-1], padding), np.uint8)], axis=-1)
    packed = q[..., 0::count].copy()
    for index in range(1, count):
        packed |= q[..., index::count] << np.uint8(bits * index)
    return packed


def unpack_bits(packed: Bytes, bits: int, count: int) -> Bytes:
    """The first `count` numbers of `bits` in the bytes of each row: (..., m) to (..., count)."""
    if bits == 8:
        return packed[..., :count]
    shifts = np.arange(0, 8, bits, dtype=np.uint8)
    parts = (packed[..., None] >> shifts) & np.uint8((1 << bits) - 1)
    return parts.reshape(*packed.shape[:-1], -1)[..., :count]
