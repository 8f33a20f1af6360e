"""The weight formats, stated once: what a stored weight of `rows` x `inner` looks like byte by byte.

f32, f16: row-major, element (n, k) at index n * inner + k.
q8, q4, q2: ONNX `MatMulNBits`. A row is cut into ceil(inner / 32) blocks; a block is 32, 16 or 8 bytes, the first
element in a byte's lowest bits (q4: element 2i is the low nibble of byte i; q2: element 4i + j is bits 2j of byte i).
Each block has one float16 scale, in an array of its own [rows, blocks]. The value is (q - zero_point) * scale.
Elements past `inner` in the last block mean nothing and are never used.
q8z, q4z, q2z: the same, but each block has a zero point of its own. A row's zero points are ceil(blocks * bits / 8)
bytes, the first block in a byte's lowest bits; bits left over at a row's end mean nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass

SCALE_BYTES = 2


@dataclass(frozen=True)
class Format:
    """A weight format: `bits` a value, `block` values to a scale (0: no scales), `zero_point` subtracted from q.

    With `zeros`, each block's zero point is stored, and `zero_point` is the middle of the range.
    """

    name: str
    bits: int
    block: int = 0
    zero_point: int = 0
    zeros: bool = False

    def blocks(self, inner: int) -> int:
        """Blocks in a row of `inner` values."""
        return -(-inner // self.block) if self.block else 0

    def shape(self, rows: int, inner: int) -> tuple[int, ...]:
        """Shape of the stored values: (rows, inner) floats, or (rows, blocks, bytes of a block) uint8."""
        if not self.block:
            return (rows, inner)
        return (rows, self.blocks(inner), self.block * self.bits // 8)

    def weight_bytes(self, rows: int, inner: int) -> int:
        """Bytes of the stored values, without the scales."""
        stored = self.blocks(inner) * self.block if self.block else inner
        return rows * stored * self.bits // 8

    def scale_bytes(self, rows: int, inner: int) -> int:
        """Bytes of the scales; 0 for the formats that have none."""
        return rows * self.blocks(inner) * SCALE_BYTES

    def zero_bytes(self, rows: int, inner: int) -> int:
        """Bytes of the stored zero points; 0 for the formats that have none."""
        return rows * -(-self.blocks(inner) * self.bits // 8) if self.zeros else 0


FORMATS: Mapping[str, Format] = {
    "f32": Format("f32", bits=32),
    "f16": Format("f16", bits=16),
    "q8": Format("q8", bits=8, block=32, zero_point=128),
    "q4": Format("q4", bits=4, block=32, zero_point=8),
    "q2": Format("q2", bits=2, block=32, zero_point=2),
    "q8z": Format("q8z", bits=8, block=32, zero_point=128, zeros=True),
    "q4z": Format("q4z", bits=4, block=32, zero_point=8, zeros=True),
    "q2z": Format("q2z", bits=2, block=32, zero_point=2, zeros=True),
}
