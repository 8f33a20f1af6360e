"""NumPy twins of the kernels: what each must compute, in float64 from the inputs as they are stored.

Every twin is called as `twin(inputs, constants, step)` and returns the written bindings:

- `inputs`: binding name -> array of the shape in the catalog row, for every binding but the step block, the written
  ones included (with what they held before). dtypes as stored: elem float32 or float16, f32, u32; a packed weight is
  float32 or float16 (rows, inner), or uint8 (rows, blocks, bytes) beside `scales` float16 (rows, blocks) and, in
  some formats, `zeros` uint8 (rows, bytes).
- `constants`: override name -> number.
- `step`: the step block.
- result: name -> array for each binding of access "write". Elements that the kernel leaves alone are returned as they
  were: start from `untouched(inputs[name])`. Rounding to the stored type is left to the caller.

Twins must not change their inputs.
"""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..catalog import Kernel

Array = NDArray[Any]
Arrays = Mapping[str, Array]
Constants = Mapping[str, float]


@dataclass(frozen=True)
class Step:
    """The step block, field by field as in `parts/step.wgsl`."""

    tokens: int = 1
    past: int = 0
    sequences: int = 1
    done: int = 0
    generated: int = 0
    limit: int = 0

    def words(self) -> NDArray[np.uint32]:
        """The block as the 8 u32 that are bound."""
        fields = [self.tokens, self.past, self.sequences, self.done, self.generated, self.limit, 0, 0]
        return np.array(fields, np.uint32)


Twin = Callable[[Arrays, Constants, Step], Arrays]


def untouched(array: Array) -> Array:
    """A float64 (or, for integers, uint32) copy of what a written binding held before."""
    return array.astype(np.float64) if array.dtype.kind == "f" else array.astype(np.uint32)


def view(x: Array, tokens: int, stride: int, offset: int, width: int) -> NDArray[np.float64]:
    """The first `tokens` rows of a view input: (tokens, width) float64 of x[t * stride + offset + i]."""
    rows = x.reshape(-1)[: tokens * stride].reshape(tokens, stride)
    return rows[:, offset : offset + width].astype(np.float64)


def twin_of(kernel: Kernel) -> Twin:
    """The twin that a catalog row names."""
    module, function = kernel.twin.split(".")
    twin: Twin = getattr(importlib.import_module(f"{__name__}.{module}"), function)
    return twin


def inputs_of(kernel: Kernel, numbers: Mapping[str, float], elem: str) -> Any:
    """The `inputs.Case` of one of the row's cases; the same every time."""
    return importlib.import_module(f"{__name__}.inputs").make_case(kernel, numbers, elem)
