"""Catalog rows of what adapters add to the outputs of linears."""

from collections.abc import Mapping

from .catalog import Binding, DType, Kernel, Tolerance
from .packed_weights import weight_bindings, weight_parts
from .tolerances import SUM

# What an output is stored as: of the tier's type, or float32.
_OUTPUTS: Mapping[str, DType] = {"elem": "elem", "f32": "f32"}
# Adapters are stored as they were trained: in floats.
_FORMATS = ("f32", "f16")


def _case(
    tokens: int, inner: int, rows: int, offset: int = 0, column: int = 0, alpha: float = 1
) -> Mapping[str, float]:
    return {
        "tokens": tokens,
        "inner": inner,
        "rows": rows,
        "x_stride": inner + 2 * offset,
        "x_offset": offset,
        "out_stride": rows + 2 * column,
        "column": column,
        "alpha": alpha,
    }


_CASES = (
    _case(1, 1, 1),
    _case(3, 5, 70, offset=3, column=11, alpha=0.75),
    _case(2, 64, 384, offset=64, alpha=-2),
    _case(9, 16, 97, column=5, alpha=2),
    _case(2, 31, 66, offset=1),
)


def _low_rank(fmt: str, output: str) -> Kernel:
    return Kernel(
        name=f"low_rank_{fmt}_{output}",
        shader="low_rank.wgsl",
        parts=(f"add_to_{output}.wgsl", *weight_parts(fmt)),
        bindings=(
            Binding(1, "x", "read", "elem", ("tokens", "x_stride")),
            Binding(2, "out", "write", _OUTPUTS[output], ("tokens", "out_stride")),
            *weight_bindings(fmt, "rows", "inner"),
        ),
        overrides=("inner", "rows", "x_stride", "x_offset", "out_stride", "column", "alpha"),
        grid=(("rows", 64), "tokens", 1),
        twin="linear.low_rank",
        tolerance=Tolerance(5e-6, 7e-4, f"{SUM}, 64 terms at most here; f16 output rounds at 2^-11"),
        cases=_CASES,
        fmt=fmt,
        fill={"out": "normal 1"},
    )


LOW_RANK_KERNELS: tuple[Kernel, ...] = tuple(
    _low_rank(fmt, output) for fmt in _FORMATS for output in _OUTPUTS
)
