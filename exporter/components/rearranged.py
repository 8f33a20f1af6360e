"""A weight whose rows are those of a checkpoint's tensor in another order, read in runs when they are written."""

from collections.abc import Callable, Sequence

import numpy as np
import onnx_ir as ir

from exporter.components.graph import GraphBuilder

Rows = np.ndarray


def rearranged(g: GraphBuilder, name: str, shape: Sequence[int], source: Callable[[Rows], Rows]) -> ir.Value:
    """Row i of the result is row `source(i)` of tensor `name`, which has the same `shape`; int64 (n,) to (n,).

    Rows run along the last axis, the axes before it counted as one. A vector's rows are its values.
    """
    g.require(name, tuple(shape))
    made = f"{name}.rearranged"
    if len(shape) == 1:
        return g.derived(made, shape, lambda: g.read(name)[source(np.arange(shape[0]))])

    def read(start: int, stop: int) -> np.ndarray:
        wanted = source(np.arange(start, stop))
        order = np.argsort(wanted)
        rows = np.empty((stop - start, shape[-1]), np.float32)
        for run in np.split(order, np.flatnonzero(np.diff(wanted[order]) != 1) + 1):
            rows[run] = g.read_rows(name, int(wanted[run[0]]), int(wanted[run[-1]]) + 1)
        return rows

    return g.derived_rows(made, shape, read)
