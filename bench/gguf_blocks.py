"""Stored weights in GGUF's types: the same codes and scales in another order, nothing is rounded anew if it fits."""

import numpy as np
from gguf import GGMLQuantizationType as Type

from bench.stored_model import BLOCK, Array, Blocks, Weight

_HALF = BLOCK // 2


def in_gguf(weight: Weight) -> tuple[Array, Type]:
    """Bytes or floats as gguf's writer takes them, and their type.

    Q4_0 and Q8_0 hold what is symmetric exactly, 2 bits in Q4_0 too. Q4_1 rounds (zero point * scale) to f16. The rest
    becomes floats: f16 for 8 bits with zero points, f32 for rows that are no multiple of a block.
    """
    if not isinstance(weight, Blocks):
        half = weight.ndim > 1 and weight.dtype == np.float16
        return (weight, Type.F16) if half else (weight.astype(np.float32), Type.F32)
    if weight.width % BLOCK:
        return weight.values(), Type.F32
    return _in_blocks(weight)


def _in_blocks(weight: Blocks) -> tuple[Array, Type]:
    steps = weight.steps()
    low, high = int(steps.min()), int(steps.max())
    if low >= -8 and high <= 7:
        return _joined(_halves(weight.scales), _nibbles(steps + 8)), Type.Q4_0
    if weight.bits == 4:
        least = -weight.scales.astype(np.float32) * weight.zeros
        return _joined(_halves(weight.scales), _halves(least), _nibbles(weight.codes)), Type.Q4_1
    if low >= -128 and high <= 127:
        return _joined(_halves(weight.scales), steps.astype(np.int8).view(np.uint8)), Type.Q8_0
    return weight.values().astype(np.float16), Type.F16


def _halves(numbers: Array) -> Array:
    """One number a block as the two bytes of an f16."""
    return numbers.astype("<f2")[..., None].view(np.uint8)


def _nibbles(codes: Array) -> Array:
    """Byte i of a block holds code i, and above it code i + 16."""
    codes = codes.astype(np.uint8)
    nibbles: Array = codes[..., :_HALF] | codes[..., _HALF:] << 4
    return nibbles


def _joined(*parts: Array) -> Array:
    """Each block's parts one after the other, a row of blocks as one row of bytes."""
    blocks = np.concatenate(parts, axis=-1)
    return blocks.reshape(len(blocks), -1)
