"""Weights as the plan sees them: ranges of shards, cut by rows where they pass WebGPU's binding limit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import lcm

import onnx_ir as ir

from exporter.errors import LoweringError
from exporter.placement import Placed
from wgsl_kernels import FORMATS, Format

ROW_STEP = 256


@dataclass(frozen=True)
class Range:
    """Bytes of a plan buffer."""

    buffer: int
    offset: int
    bytes: int


@dataclass(frozen=True)
class WeightBuffer:
    """A GPU buffer that holds `bytes` of `shard` from `offset`."""

    shard: int
    offset: int
    bytes: int


@dataclass(frozen=True)
class RowSlice:
    """Rows [start, start + rows) of a matrix, with their scales and zero points where the format has them."""

    start: int
    rows: int
    weight: Range
    scales: Range | None
    zeros: Range | None


@dataclass(frozen=True)
class StoredMatrix:
    """A weight (rows, inner) as the graph stores it: values, and scales and zero points where `fmt` has them."""

    fmt: Format
    rows: int
    inner: int
    weight: ir.Value
    scales: ir.Value | None = None
    zeros: ir.Value | None = None


def aligned(size: int) -> int:
    """`size` rounded up to 4 bytes, the grain of WebGPU buffers."""
    return -(-size // 4) * 4


def weight_shape(value: ir.Value) -> tuple[int, ...]:
    """The shape of a stored weight; raises LoweringError if it is not all numbers."""
    dims = tuple(value.shape or ())
    sizes = tuple(dim for dim in dims if isinstance(dim, int))
    if len(sizes) != len(dims):
        raise LoweringError("a weight has no fixed shape", str(value.name), "Export the model again.")
    return sizes


def weight_format(value: ir.Value) -> Format:
    """The packed format of a weight, from its element type and its last axis."""
    if value.dtype == ir.DataType.FLOAT16:
        return FORMATS["f16"]
    return FORMATS["f32"]


class WeightStore:
    """Finds weights in shards and cuts shards into GPU buffers no larger than `max_binding` bytes."""

    def __init__(self, places: Mapping[str, Placed], shard_bytes: Sequence[int], max_binding: int) -> None:
        self._places = places
        self._max = max_binding
        self._shard_bytes = shard_bytes
        self.buffers: list[WeightBuffer] = []
        self._whole: dict[int, int] = {}
        self._cuts: dict[tuple[int, int, int], int] = {}

    def whole(self, value: ir.Value) -> Range:
        """The range of a weight that fits one binding, such as a norm's."""
        place = self._places[str(value.name)]
        return self._range(place.shard_index, place.offset, aligned(place.bytes))

    def matrix(self, stored: StoredMatrix, together: int = 1) -> list[RowSlice]:
        """The matrix in as few row slices as fit; cut at multiples of 256 rows, so that offsets stay aligned.

        Each run of `together` rows, such as those of an expert, stays in one slice.
        """
        size = stored.fmt.weight_bytes(stored.rows, stored.inner)
        most = stored.rows
        if size > self._max:
            row_bytes, step = size // stored.rows, lcm(ROW_STEP, together)
            most = max(step, self._max // row_bytes // step * step)
        return [
            self.rows(stored, start, min(most, stored.rows - start)) for start in range(0, stored.rows, most)
        ]

    def rows(self, stored: StoredMatrix, start: int, rows: int) -> RowSlice:
        """Rows [start, start + rows) of a matrix; `start` must leave offsets that WebGPU can bind."""
        fmt, inner = stored.fmt, stored.inner
        weight = self._part(stored.weight, fmt.weight_bytes(start, inner), fmt.weight_bytes(rows, inner))
        scales = zeros = None
        if stored.scales is not None:
            scales = self._part(stored.scales, fmt.scale_bytes(start, inner), fmt.scale_bytes(rows, inner))
        if stored.zeros is not None:
            zeros = self._part(stored.zeros, fmt.zero_bytes(start, inner), fmt.zero_bytes(rows, inner))
        return RowSlice(start, rows, weight, scales, zeros)

    def _part(self, value: ir.Value, skip: int, size: int) -> Range:
        place = self._places[str(value.name)]
        return self._range(place.shard_index, place.offset + skip, aligned(size))

    def _range(self, shard: int, offset: int, size: int) -> Range:
        if self._shard_bytes[shard] <= self._max:
            return Range(self._buffer_of_shard(shard), offset, size)
        key = (shard, offset, size)
        if key not in self._cuts:
            self._cuts[key] = self._add(WeightBuffer(shard, offset, size))
        return Range(self._cuts[key], 0, size)

    def _buffer_of_shard(self, shard: int) -> int:
        if shard not in self._whole:
            self._whole[shard] = self._add(WeightBuffer(shard, 0, aligned(self._shard_bytes[shard])))
        return self._whole[shard]

    def _add(self, buffer: WeightBuffer) -> int:
        self.buffers.append(buffer)
        return len(self.buffers) - 1
