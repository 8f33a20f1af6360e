"""The header of a safetensors file, proven before it is believed.

Format: 8 bytes little-endian header length, that many bytes of JSON, then the buffer. Each entry states
dtype, shape and the byte range in the buffer; the ranges must tile the buffer exactly. Source: the
safetensors format description.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..errors import WeightsError
from ..strict_json import JsonProblem, parse_object

HEADER_LIMIT = 8 * 1024 * 1024
TENSOR_LIMIT = 65536
RANK_LIMIT = 16
# Sizes must survive a trip through JavaScript's numbers.
_SIZE_LIMIT = 2**53
_LENGTH_BYTES = 8
_REMEDY = "The file is damaged or hostile; fetch the checkpoint again."

BITS = {
    "F64": 64, "F32": 32, "F16": 16, "BF16": 16, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8,
    "F6_E2M3": 6, "F6_E3M2": 6, "F4": 4, "C64": 64,
    "I64": 64, "I32": 32, "I16": 16, "I8": 8, "U64": 64, "U32": 32, "U16": 16, "U8": 8, "BOOL": 8,
}  # fmt: skip


@dataclass(frozen=True)
class TensorInfo:
    """A tensor as the checkpoint stores it; `dtype` is safetensors' name for it (F32, BF16, ...)."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def elements(self) -> int:
        """How many values it holds."""
        return math.prod(self.shape)

    @property
    def bytes(self) -> int:
        """What it takes in its file."""
        return self.elements * BITS[self.dtype] // 8


@dataclass(frozen=True)
class StoredTensor:
    """A tensor and where its bytes lie, counted from the start of the file."""

    info: TensorInfo
    start: int
    end: int


def header_length(prefix: bytes, file_bytes: int, where: str) -> int:
    """The header's length from the first 8 bytes; raises WeightsError if the file cannot hold it."""
    if len(prefix) < _LENGTH_BYTES:
        raise WeightsError("The file is too short for a safetensors file", where, _REMEDY)
    length = int.from_bytes(prefix, "little")
    if length > HEADER_LIMIT:
        raise WeightsError(f"A header of {length} bytes is over {HEADER_LIMIT}", where, _REMEDY)
    if _LENGTH_BYTES + length > file_bytes:
        raise WeightsError(f"The header claims {length} bytes of a file of {file_bytes}", where, _REMEDY)
    return length


def parse_header(header: bytes, file_bytes: int, where: str) -> dict[str, StoredTensor]:
    """The tensors of a file of `file_bytes` bytes, in the order of their bytes.

    Raises WeightsError unless every entry is well formed and together they tile the buffer.
    """
    entries = _parse_json(header, where)
    base = _LENGTH_BYTES + len(header)
    stored = sorted(
        (_entry(name, entry, base, where) for name, entry in entries.items()),
        key=lambda tensor: (tensor.start, tensor.end),
    )
    _check_tiling(stored, base, file_bytes, where)
    return {tensor.info.name: tensor for tensor in stored}


def _parse_json(header: bytes, where: str) -> dict[str, Any]:
    # Python objects take far more room than their JSON: count the marks before building anything.
    if header.count(b"[") > 2 * TENSOR_LIMIT or header.count(b",") > RANK_LIMIT * TENSOR_LIMIT:
        raise WeightsError(f"The header lists more than {TENSOR_LIMIT} tensors", where, _REMEDY)
    try:
        entries = parse_object(header, HEADER_LIMIT)
    except JsonProblem as problem:
        raise WeightsError(f"The header {problem}", where, _REMEDY) from None
    metadata = entries.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise WeightsError("The header's __metadata__ is not an object of strings", where, _REMEDY)
    if len(entries) > TENSOR_LIMIT:
        raise WeightsError(f"The header lists more than {TENSOR_LIMIT} tensors", where, _REMEDY)
    return entries


def _entry(name: str, entry: Any, base: int, where: str) -> StoredTensor:
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise WeightsError(f'Tensor "{name}" lacks dtype, shape or data_offsets, or has more', where, _REMEDY)
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in BITS:
        raise WeightsError(f'Tensor "{name}" has the unknown dtype "{dtype}"', where, _REMEDY)
    if not _are_sizes(shape) or len(shape) > RANK_LIMIT:
        raise WeightsError(f'Tensor "{name}" has the impossible shape {shape}', where, _REMEDY)
    if not _are_sizes(offsets) or len(offsets) != 2:
        raise WeightsError(f'Tensor "{name}" has the impossible data_offsets {offsets}', where, _REMEDY)
    start, end = offsets
    bits = math.prod(shape) * BITS[dtype]
    if bits != (end - start) * 8:
        what = f'Tensor "{name}" ({dtype} {shape}) needs {bits} bits but has {end - start} bytes'
        raise WeightsError(what, where, _REMEDY)
    return StoredTensor(TensorInfo(name, dtype, tuple(shape)), base + start, base + end)


def _are_sizes(value: Any) -> bool:
    return isinstance(value, list) and all(type(item) is int and 0 <= item < _SIZE_LIMIT for item in value)


def _check_tiling(stored: Iterable[StoredTensor], base: int, file_bytes: int, where: str) -> None:
    position = base
    for tensor in stored:
        if tensor.start != position:
            kind = "leaves a hole before" if tensor.start > position else "overlaps what lies before"
            raise WeightsError(f'Tensor "{tensor.info.name}" {kind} byte {tensor.start}', where, _REMEDY)
        position = tensor.end
    if position != file_bytes:
        raise WeightsError(f"The tensors end at byte {position} of a file of {file_bytes}", where, _REMEDY)
