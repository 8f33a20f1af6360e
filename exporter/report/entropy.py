"""Order-0 entropy of stored numbers: what the best coder that looks at one number at a time would make of them."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from exporter.report.tensors import WIDTHS, StoredTensor

_READ_BYTES = 1 << 22


@dataclass(frozen=True)
class Contents:
    """What the bytes of a tensor are: the bits that they carry by order-0 entropy, and their SHA-256 in hex.

    Packed values count as numbers of 2, 4 or 8 bits; of floats each byte (sign and exponent, mantissa) counts as a
    stream of its own, as a coder would have to treat them.
    """

    entropy_bits: float
    sha256: str


def read_contents(folder: Path, tensor: StoredTensor) -> Contents:
    """Reads the bytes of `tensor`, a piece at a time."""
    width = WIDTHS[tensor.dtype]
    counts = np.zeros((width, 256), np.int64)
    digest = hashlib.sha256()
    for piece in _pieces(folder / tensor.file, tensor.offset, tensor.bytes):
        digest.update(piece)
        columns = np.frombuffer(piece, np.uint8).reshape(-1, width)
        for index in range(width):
            counts[index] += np.bincount(columns[:, index], minlength=256)
    bits = sum(_total_bits(_symbols(row, tensor.symbol_bits)) for row in counts)
    return Contents(bits, digest.hexdigest())


def _pieces(path: Path, offset: int, size: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(offset)
        for start in range(0, size, _READ_BYTES):
            yield file.read(min(_READ_BYTES, size - start))


def _symbols(counts: npt.NDArray[np.int64], bits: int) -> npt.NDArray[np.int64]:
    """How often each number of `bits` bits stands in bytes with these counts."""
    values, found = np.arange(256), np.zeros(1 << bits, np.int64)
    for shift in range(0, 8, bits):
        np.add.at(found, (values >> shift) & ((1 << bits) - 1), counts)
    return found


def _total_bits(counts: npt.NDArray[np.int64]) -> float:
    """Entropy of all numbers together, in bits."""
    seen = counts[counts > 0].astype(np.float64)
    total = float(seen.sum())
    return abs(float(-(seen * np.log2(seen / total)).sum())) if total else 0.0
