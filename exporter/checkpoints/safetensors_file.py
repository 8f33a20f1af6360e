"""Reads tensors of a safetensors file, or some rows of one, as float32, with no more memory than that."""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from ..errors import WeightsError
from .confined_folder import REFETCH
from .safetensors_header import BITS, StoredTensor, header_length, parse_header

Floats = npt.NDArray[np.float32]

_SLAB_VALUES = 1 << 20


def _from_bfloat16(raw: npt.NDArray[np.uint16], out: Floats) -> None:
    bits = out.view(np.uint32)
    np.copyto(bits, raw)
    np.left_shift(bits, 16, out=bits)


def _from_float(raw: npt.NDArray[np.floating], out: Floats) -> None:
    # What becomes infinite or was no number is reported by the finite check.
    with np.errstate(over="ignore", invalid="ignore"):
        np.copyto(out, raw, casting="same_kind")


_DECODERS: Mapping[str, tuple[str, Callable[[npt.NDArray[np.generic], Floats], None]]] = {
    "F64": ("<f8", _from_float),  # type: ignore[dict-item]
    "F32": ("<f4", _from_float),  # type: ignore[dict-item]
    "F16": ("<f2", _from_float),  # type: ignore[dict-item]
    "BF16": ("<u2", _from_bfloat16),  # type: ignore[dict-item]
}


class SafetensorsFile:
    """One file: its header is checked when this is made; nothing else is read until `read` is called."""

    def __init__(self, path: Path, where: str) -> None:
        self._path = path
        self._where = where
        with self._open() as file:
            self._identity = _identity(file)
            size = os.fstat(file.fileno()).st_size
            header = file.read(header_length(file.read(8), size, where))
        self.tensors: Mapping[str, StoredTensor] = parse_header(header, size, where)

    def read(self, name: str) -> Floats:
        """Tensor `name` as float32 in its stored shape.

        Raises WeightsError if it is not floating point, is not finite, or if the file has changed.
        """
        tensor = self.tensors[name]
        return self._read_values(tensor, 0, tensor.info.elements).reshape(tensor.info.shape)

    def read_rows(self, name: str, start: int, stop: int) -> Floats:
        """Rows [start, stop) of tensor `name` as float32 (stop - start, width), the last axis being the width.

        No other bytes are read; errors are those of `read`. Several threads may read at once.
        """
        tensor = self.tensors[name]
        width = tensor.info.shape[-1]
        return self._read_values(tensor, start * width, stop * width).reshape(stop - start, width)

    def _read_values(self, tensor: StoredTensor, first: int, last: int) -> Floats:
        name, dtype = tensor.info.name, tensor.info.dtype
        if dtype not in _DECODERS:
            raise WeightsError(
                f'Tensor "{name}" is {dtype}; F64, F32, F16 and BF16 can be read',
                self._where,
                "Save the checkpoint in one of these types.",
            )
        values = np.empty(last - first, np.float32)
        with self._open() as file:
            self._check_unchanged(file)
            file.seek(tensor.start + first * BITS[dtype] // 8)
            broken = sum(self._read_slab(file, tensor, slab) for slab in _slabs(values))
        if broken:
            raise WeightsError(
                f'Tensor "{name}" holds {broken} values that are NaN or infinite',
                self._where,
                "The checkpoint is damaged or its training diverged; use another one.",
            )
        return values

    def _read_slab(self, file: BinaryIO, tensor: StoredTensor, out: Floats) -> int:
        storage, decode = _DECODERS[tensor.info.dtype]
        raw = out if storage == "<f4" and sys.byteorder == "little" else np.empty(out.size, storage)
        if _read_fully(file, raw.view(np.uint8).data) != raw.nbytes:
            raise WeightsError(f'The file ends inside tensor "{tensor.info.name}"', self._where, REFETCH)
        if raw is not out:
            decode(raw, out)
        return int(out.size - np.count_nonzero(np.isfinite(out)))

    def _open(self) -> BinaryIO:
        try:
            return self._path.open("rb", buffering=0)
        except OSError as problem:
            raise WeightsError(f"Cannot open the weights: {problem.strerror}", self._where) from None

    def _check_unchanged(self, file: BinaryIO) -> None:
        if _identity(file) != self._identity:
            raise WeightsError("The file changed while it was read", self._where, "Start again.")


def _slabs(values: Floats) -> list[Floats]:
    return [values[start : start + _SLAB_VALUES] for start in range(0, values.size, _SLAB_VALUES)]


def _identity(file: BinaryIO) -> tuple[int, ...]:
    status = os.fstat(file.fileno())
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def _read_fully(file: BinaryIO, out: memoryview) -> int:
    done = 0
    while done < len(out):
        count = file.readinto(out[done:])  # type: ignore[attr-defined]
        if not count:
            break
        done += count
    return done
