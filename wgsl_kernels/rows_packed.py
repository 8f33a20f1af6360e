"""Catalog rows of the kernels that read a weight in a packed format: embeddings and linears."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from .catalog import STEP, Binding, DType, Kernel, Size, Tolerance
from .formats import FORMATS
from .packed_weights import block_parts, direct_parts, weight_bindings, weight_parts
from .tolerances import ROUNDING, SUM

_LINEAR = Tolerance(5e-6, 7e-4, f"{SUM}, 2048 terms at most here; f16 output rounds at 2^-11")
_ACTIVATED = Tolerance(
    5e-6,
    7e-4,
    f"{SUM}; erf is off by 3e-7 at most, |x| / 2 of that in GELU; tanh is off by 3e-7",
    absolute=1e-6,
)
_GATED = Tolerance(
    1e-5,
    1.4e-3,
    f"{SUM}; the product of two such, one of them through an exp; f16 output rounds at 2^-11",
    absolute=1e-6,
)


def _gather(fmt: str) -> Kernel:
    return Kernel(
        name=f"gather_{fmt}",
        shader="gather.wgsl",
        parts=("gather_row.wgsl", *weight_parts(fmt)),
        bindings=(
            Binding(1, "ids", "read", "u32", ("tokens",)),
            Binding(2, "out", "write", "elem", ("tokens", "width")),
            *weight_bindings(fmt, "rows", "width"),
        ),
        overrides=("width", "rows", "row_start", "scale", "accumulate"),
        grid=(("width", 256), "tokens", 1),
        twin="gather.gather",
        tolerance=ROUNDING,
        cases=(
            {"tokens": 1, "width": 1, "rows": 1, "row_start": 0, "scale": 1, "accumulate": 0},
            {"tokens": 7, "width": 37, "rows": 11, "row_start": 0, "scale": 1, "accumulate": 1},
            {"tokens": 19, "width": 384, "rows": 61, "row_start": 5, "scale": 12, "accumulate": 0},
            {"tokens": 5, "width": 1536, "rows": 17, "row_start": 1000, "scale": 0.25, "accumulate": 1},
        ),
        fmt=fmt,
        fill={"ids": "index row_start*3//4 row_start+rows+2", "out": "normal 1"},
    )


def _gather_positions(fmt: str) -> Kernel:
    return Kernel(
        name=f"gather_positions_{fmt}",
        shader="gather_positions.wgsl",
        parts=("gather_row.wgsl", *weight_parts(fmt), "step.wgsl"),
        bindings=(
            STEP,
            Binding(2, "out", "write", "elem", ("tokens", "width")),
            *weight_bindings(fmt, "rows", "width"),
        ),
        overrides=("width", "rows", "scale", "accumulate"),
        grid=(("width", 256), "tokens", 1),
        twin="gather.gather_positions",
        tolerance=ROUNDING,
        cases=(
            {"tokens": 1, "past": 0, "width": 1, "rows": 1, "scale": 1, "accumulate": 0},
            {"tokens": 7, "past": 3, "width": 37, "rows": 10, "scale": 1, "accumulate": 1},
            {"tokens": 5, "past": 60, "width": 768, "rows": 62, "scale": 0.5, "accumulate": 0},
        ),
        fmt=fmt,
        fill={"out": "normal 1"},
    )


@dataclass(frozen=True)
class _Epilogue:
    """What ends a linear: the parts and bindings that it adds, and the overrides, with values for each test case."""

    parts: tuple[str, ...]
    inputs: tuple[Binding, ...]
    overrides: Mapping[str, tuple[float, ...]]
    written: DType
    tolerance: Tolerance


_BIAS = Binding(5, "bias", "read", "f32", ("rows",))
_NORM = Binding(8, "norm", "read", "f32", ("inner",))
_RESIDUAL = Binding(6, "residual", "read", "elem", ("tokens", "out_stride"))
_EPILOGUES: Mapping[str, _Epilogue] = {
    "store": _Epilogue((), (), {}, "elem", _LINEAR),
    "bias": _Epilogue(
        ("activation.wgsl", "sigmoid.wgsl"),
        (_BIAS,),
        {"activation": (1, 0, 2, 3, 4, 5, 6, 1)},
        "elem",
        _ACTIVATED,
    ),
    "residual": _Epilogue(("optional_bias.wgsl",), (_BIAS, _RESIDUAL), {"has_bias": (1, 0)}, "elem", _LINEAR),
    "logits": _Epilogue(
        ("optional_bias.wgsl", "sigmoid.wgsl"),
        (_BIAS,),
        {"has_bias": (1, 0, 0), "cap": (30, 0, 2.5, 0)},
        "f32",
        _LINEAR,
    ),
}


def _linear_case(
    tokens: int, inner: int, rows: int, column: int = 0, alpha: float = 1
) -> Mapping[str, float]:
    out_stride = rows + 2 * column
    return {
        "tokens": tokens,
        "inner": inner,
        "rows": rows,
        "column": column,
        "out_stride": out_stride,
        "alpha": alpha,
    }


_RAGGED_EDGE = _linear_case(3, 37, 7, column=5, alpha=0.22)
_RAGGED_SIZES = (_linear_case(1, 1, 1), _linear_case(2, 772, 97))
_GEMV_EDGE = _linear_case(3, 96, 7, column=5, alpha=0.22)
_GEMV_SIZES = (
    _linear_case(1, 32, 1),
    _linear_case(1, 384, 384),
    _linear_case(2, 1056, 97),
    _linear_case(1, 2048, 66),
    {**_linear_case(1, 1056, 35), "LANES": 1},
)
_GEMM_EDGE = _linear_case(67, 37, 71, column=3, alpha=0.22)
_GEMM_SIZES = (_linear_case(1, 1, 1), _linear_case(65, 384, 128), _linear_case(19, 1544, 67))
_DIRECT_EDGE = _linear_case(19, 96, 71, column=3, alpha=0.22)
_DIRECT_SIZES = (
    _linear_case(1, 32, 1),
    _linear_case(65, 384, 128),
    _linear_case(16, 1056, 64),
    _linear_case(35, 1536, 67),
)
_COLUMNS_EDGE = _linear_case(11, 96, 7, column=5, alpha=0.22)
_COLUMNS_SIZES = (_linear_case(1, 32, 1), _linear_case(8, 1056, 97), _linear_case(5, 384, 384))
_GEMM_MODEL = _linear_case(200, 384, 1152)
_EVERY_SIZE = ("f32", "f16", "q8", "q4")  # the others differ from q8 and q4 inside a block only


_TEAMS: tuple[Size, Size, Size] = ("(rows+4*TEAMS-1)//(4*TEAMS)", "tokens", 1)


@dataclass(frozen=True)
class _Shape:
    """One way to multiply: its own parts, an edge case, and more sizes for the epilogue `store`."""

    parts: tuple[str, ...]
    edge: Mapping[str, float]
    sizes: tuple[Mapping[str, float], ...]
    grid: tuple[Size, Size, Size] = (("rows", 4), "tokens", 1)
    unpacks: Callable[[str], tuple[str, ...]] = weight_parts
    many: bool = False
    tunables: tuple[str, ...] = ()
    shader: str = ""
    normed: bool = False
    read: DType = "elem"
    epilogues: tuple[str, ...] = tuple(_EPILOGUES)


_SHAPES: Mapping[str, _Shape] = {
    "gemv": _Shape(
        ("block_input.wgsl", "quad_elem.wgsl", "prologue_none.wgsl"),
        _GEMV_EDGE, _GEMV_SIZES, grid=_TEAMS, unpacks=block_parts, tunables=("LANES",),
    ),
    "gemv_norm": _Shape(
        ("block_input.wgsl", "quad_elem.wgsl", "prologue_norm.wgsl"),
        _GEMV_EDGE, _GEMV_SIZES, grid=_TEAMS, unpacks=block_parts, tunables=("LANES",), shader="gemv.wgsl", normed=True,
        epilogues=("store", "bias", "residual"),
    ),
    "gemv_norm_f32": _Shape(
        ("block_input.wgsl", "quad_f32.wgsl", "prologue_norm.wgsl"),
        _GEMV_EDGE, _GEMV_SIZES[1:3], grid=_TEAMS, unpacks=block_parts, tunables=("LANES",), shader="gemv.wgsl",
        normed=True, read="f32", epilogues=("store", "residual"),
    ),
    "gemv_ragged": _Shape(
        ("reduce_workgroup.wgsl", "dot_4_rows.wgsl", "linear_input.wgsl"), _RAGGED_EDGE, _RAGGED_SIZES
    ),
    "gemm": _Shape(
        ("step.wgsl", "staged_matrices.wgsl", "linear_input.wgsl"),
        _GEMM_EDGE,
        _GEMM_SIZES,
        grid=(("rows", 64), ("tokens", 64), 1),
        many=True,
    ),
    "gemm_direct": _Shape(
        ("step.wgsl", "direct_input.wgsl"),
        _DIRECT_EDGE,
        _DIRECT_SIZES,
        grid=(("rows", 64), ("tokens", 16), 1),
        unpacks=direct_parts,
        many=True,
    ),
    "gemv_columns": _Shape(
        ("step.wgsl",),
        _COLUMNS_EDGE,
        _COLUMNS_SIZES,
        grid=(("rows", 4), ("tokens", 8), 1),
        unpacks=direct_parts,
        many=True,
    ),
}  # fmt: skip


def _linear(name: str, fmt: str, epilogue: str) -> Kernel:
    shape, end = _SHAPES[name], _EPILOGUES[epilogue]
    return Kernel(
        name=f"{name}_{fmt}_{epilogue}",
        shader=shape.shader or f"{name}.wgsl",
        parts=(*shape.parts, *shape.unpacks(fmt), f"epilogue_{epilogue}.wgsl", *end.parts),
        bindings=(
            *((STEP,) if shape.many else ()),
            Binding(1, "x", "read", shape.read, ("tokens", "inner")),
            Binding(2, "out", "write", end.written, ("tokens", "out_stride")),
            *weight_bindings(fmt, "rows", "inner"),
            *end.inputs,
            *((_NORM,) if shape.normed else ()),
        ),
        overrides=("inner", "rows", "out_stride", "column", "alpha", *end.overrides, *_more(shape, fmt)),
        grid=shape.grid,
        twin=f"linear.{epilogue}",
        tolerance=end.tolerance,
        cases=tuple(_linear_cases(name, fmt, epilogue)),
        fmt=fmt,
        tunables=shape.tunables,
    )


def _more(shape: _Shape, fmt: str) -> Mapping[str, float]:
    """Overrides of the shape itself, with values for a test case; the number of teams is another in each format."""
    teams = (1, 3, 7, 1, 2, 5, 8, 4)[tuple(FORMATS).index(fmt)]
    return ({"epsilon": 1e-5} if shape.normed else {}) | ({"TEAMS": teams} if shape.grid is _TEAMS else {})


def _gated(name: str, fmt: str) -> Kernel:
    """A linear whose first half of rows, activated, gates the second."""
    shape = _SHAPES[name]
    more = _more(shape, fmt)
    sizes = ((1, 32, 2), (3, 96, 14), (2, 1056, 130)) if fmt in _EVERY_SIZE else ((3, 96, 14),)
    return Kernel(
        name=f"{name}_{fmt}_gate",
        shader="gemv_gate.wgsl",
        parts=(*shape.parts, *shape.unpacks(fmt), "activation.wgsl", "sigmoid.wgsl"),
        bindings=(
            Binding(1, "x", "read", "elem", ("tokens", "inner")),
            Binding(2, "out", "write", "elem", ("tokens", "rows//2")),
            *weight_bindings(fmt, "rows", "inner"),
            *((_NORM,) if shape.normed else ()),
        ),
        overrides=("inner", "rows", "activation", *_more(shape, fmt)),
        grid=shape.grid,
        twin="linear.gate",
        tolerance=_GATED,
        cases=tuple(
            {"tokens": tokens, "inner": inner, "rows": rows, "activation": 4 - tokens % 2 * 2, **more}
            for tokens, inner, rows in sizes
        ),
        fmt=fmt,
        tunables=shape.tunables,
    )


def _linear_cases(name: str, fmt: str, epilogue: str) -> Iterator[Mapping[str, float]]:
    """One edge for all; real sizes for one epilogue, one of whole blocks where that says all; the model's GEMM once.

    The epilogue's overrides take another value in each format: any format says as much of them as all.
    """
    shape, index = _SHAPES[name], tuple(FORMATS).index(fmt)
    more = {key: values[index % len(values)] for key, values in _EPILOGUES[epilogue].overrides.items()}
    more |= _more(shape, fmt)
    yield {**shape.edge, **more}
    if epilogue == "store":
        sizes = shape.sizes if fmt in _EVERY_SIZE else shape.sizes[1:2]
        yield from ({**size, **more} for size in sizes)
        if shape.many and fmt == "q4":
            yield _GEMM_MODEL


def _linears() -> Iterator[Kernel]:
    for name in _SHAPES:
        for fmt in FORMATS:
            for epilogue in _SHAPES[name].epilogues:
                yield _linear(name, fmt, epilogue)
    for fmt in FORMATS:
        yield from (_gated(name, fmt) for name in ("gemv", "gemv_norm"))


PACKED_KERNELS: tuple[Kernel, ...] = (
    *(_gather(fmt) for fmt in FORMATS),
    *(_gather_positions(fmt) for fmt in ("f32", "f16")),
    *_linears(),
)
