"""A weight of the graph whose rows can be read a slab at a time, so that no tensor need be in memory whole."""

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import onnx_ir as ir

SLAB_VALUES = 1 << 20


class RowTensor(ir.LazyTensor):
    """A tensor seen as `rows` equal runs of values; unless said otherwise a run is the last axis.

    `read(start, stop)` gives rows [start, stop) of `dtype`, whenever they are asked for; any shape of theirs will do.
    `slab_values` is how many values it is best asked for at a time.
    """

    def __init__(
        self,
        name: str,
        dtype: ir.DataType,
        shape: Sequence[int],
        read: Callable[[int, int], np.ndarray],
        *,
        rows: int | None = None,
        slab_values: int = SLAB_VALUES,
    ) -> None:
        self.rows = math.prod(shape[:-1]) if rows is None else rows
        self.width = math.prod(shape) // self.rows
        self.read = read
        self.slab_values = slab_values
        super().__init__(
            lambda: ir.Tensor(read(0, self.rows).reshape(shape), name=name), dtype, ir.Shape(shape), name=name
        )

    def spans(self) -> Iterator[tuple[int, int]]:
        """Ranges of rows that cover all, in order, each of at most `slab_values` values or one row."""
        step = max(1, self.slab_values // self.width)
        return ((start, min(start + step, self.rows)) for start in range(0, self.rows, step))
