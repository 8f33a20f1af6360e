"""A weight that is quantized while its blocks are read; scales and zero points wait until they are read, too."""

from collections.abc import Callable
from threading import Lock

import numpy as np
import onnx_ir as ir

from exporter.quantization import SCHEMES, Curvature, Recipe, quantize
from exporter.row_tensor import RowTensor

Hessian = Callable[[], np.ndarray]


class Packing:
    """The packed forms of `source`, whose rows are those of a matrix (rows, inner).

    Reading all blocks and then the scales (and zero points) quantizes each row once and holds no more than these.
    """

    def __init__(self, source: RowTensor, recipe: Recipe, hessian: Hessian | None = None) -> None:
        self.scheme = SCHEMES[recipe.scheme]
        self.rows, self.inner = source.rows, source.width
        self._source, self._recipe, self._read_hessian = source, recipe, hessian
        self._lock = Lock()
        self._forget()

    @property
    def block_count(self) -> int:
        """Blocks in a row."""
        return self.scheme.blocks(self.inner)

    @property
    def block_bytes(self) -> int:
        """Bytes of a block."""
        return self.scheme.block * self.scheme.bits // 8

    @property
    def zero_width(self) -> int:
        """Bytes of a row's zero points; 0 where the scheme has none."""
        return self.scheme.zero_bytes(1, self.inner) if self.scheme.zeros else 0

    def blocks(self, name: str, shape: tuple[int, ...]) -> RowTensor:
        """The blocks as uint8 in `shape`."""
        width = self.block_count * self.block_bytes
        slab = max(1, self._source.slab_values // self.inner) * width
        return RowTensor(name, ir.DataType.UINT8, shape, self._pack, rows=self.rows, slab_values=slab)

    def scales(self, name: str, shape: tuple[int, ...]) -> RowTensor:
        """The scales as float16 in `shape`."""
        size = self.rows * self.block_count
        return RowTensor(
            name, ir.DataType.FLOAT16, shape, self._take_scales, rows=self.rows, slab_values=size
        )

    def zeros(self, name: str, shape: tuple[int, ...]) -> RowTensor:
        """The zero points as uint8 in `shape`, packed like the blocks; read them after the scales."""
        size = self.rows * self.zero_width
        return RowTensor(name, ir.DataType.UINT8, shape, self._take_zeros, rows=self.rows, slab_values=size)

    def _forget(self) -> None:
        self._scales = np.empty((0, self.block_count), np.float16)
        self._zeros = np.empty((0, self.zero_width), np.uint8)
        self._packed = np.zeros(0, bool)
        self._curvature: Curvature | None = None

    def _prepare(self) -> None:
        with self._lock:
            if self._packed.size:
                return
            if self._read_hessian is not None:
                self._curvature = Curvature(self._read_hessian(), str(self._source.name))
            self._scales = np.empty((self.rows, self.block_count), np.float16)
            self._zeros = np.empty((self.rows, self.zero_width), np.uint8)
            self._packed = np.zeros(self.rows, bool)

    def _pack(self, start: int, stop: int) -> np.ndarray:
        self._prepare()
        weight = self._source.read(start, stop).reshape(stop - start, self.inner)
        name = str(self._source.name)
        packed = quantize(self.scheme, weight, name, method=self._recipe.method, hessian=self._curvature)
        self._scales[start:stop] = packed.scales
        if packed.zeros is not None:
            self._zeros[start:stop] = packed.zeros.reshape(stop - start, -1)
        self._packed[start:stop] = True
        return packed.b.reshape(stop - start, -1)

    def _pack_what_is_missing(self, start: int, stop: int) -> None:
        self._prepare()
        for low, high in self._source.spans():
            if low < stop and high > start and not self._packed[low:high].all():
                self._pack(low, high)

    def _take_scales(self, start: int, stop: int) -> np.ndarray:
        self._pack_what_is_missing(start, stop)
        scales = self._scales[start:stop]
        if (start, stop) == (0, self.rows) and not self.zero_width:
            self._forget()
        return scales

    def _take_zeros(self, start: int, stop: int) -> np.ndarray:
        self._pack_what_is_missing(start, stop)
        zeros = self._zeros[start:stop]
        if (start, stop) == (0, self.rows):
            self._forget()
        return zeros
