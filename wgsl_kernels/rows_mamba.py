"""Catalog rows of a token of a Mamba-2 mixer between its two linears: all in one kernel."""

from collections.abc import Mapping

from .catalog import STEP, Binding, Kernel, Tolerance
from .tolerances import SUM

_STEP = Tolerance(
    1e-5, 1.4e-3,
    f"{SUM}; a convolution and an exp before the scan, whose exp(dt' A) is good to 3 + 2|x| ulp; f32 inside and in the "
    "state in every tier; f16 output rounds at 2^-11",
)  # fmt: skip

_HEADS = ("heads", "head_dim", "groups", "state_size")
_ROW = ("x_offset", "b_offset", "c_offset", "conv_offset", "channels", "taps", "has_bias")
_TIME = ("dt_offset", "dt_min", "dt_max", "a_at", "dt_bias_at", "d_at", "has_d")

Case = Mapping[str, float]


def _case(
    sizes: tuple[int, int, int, int],
    past: int = 0,
    taps: int = 4,
    limits: tuple[float, float] = (0, 3.4e38),
    has: int = 1,
    done: int = 0,
) -> Case:
    """`sizes` are heads, head_dim, groups, state_size. The row holds z, then a gap of 3, x, B, C, a gap of 2, dt."""
    heads, head_dim, groups, state_size = sizes
    inner, side = heads * head_dim, groups * state_size
    conv = inner + 3
    row = (conv, conv + inner, conv + inner + side, conv, inner + 2 * side, taps, has)
    time = (conv + inner + 2 * side + 2, *limits, 0, 2 * heads + 5, heads + 1, has)
    return {
        "past": past,
        "done": done,
        "z_offset": 0,
        "row_length": time[0] + heads,
        "vector_length": 3 * heads + 5,
        **dict(zip(_HEADS, sizes, strict=True)),
        **dict(zip(_ROW, row, strict=True)),
        **dict(zip(_TIME, time, strict=True)),
    }


_CASES = (
    _case((1, 4, 1, 1)),
    _case((6, 36, 2, 13), past=5, taps=3),
    _case((4, 80, 1, 67), past=2, has=0),
    _case((48, 32, 1, 128), past=1003),
    _case((8, 64, 8, 64), past=9, taps=8, limits=(0.001, 0.1)),
    _case((2, 64, 1, 1024), past=7, taps=2),
    _case((2, 8, 1, 16), past=3, done=1),
)


def _mamba_step(gated: bool) -> Kernel:
    way = "gated" if gated else "plain"
    return Kernel(
        name=f"mamba_step_{way}",
        shader="mamba_step.wgsl",
        parts=(f"finish_{way}.wgsl", "optional_bias.wgsl", "sigmoid.wgsl", "softplus.wgsl", "step.wgsl"),
        bindings=(
            STEP,
            Binding(1, "row", "read", "elem", (1, "row_length")),
            Binding(2, "out", "write", "f32" if gated else "elem", (1, "heads*head_dim")),
            Binding(3, "ring", "write", "elem", ("taps", "channels")),
            Binding(4, "state", "write", "f32", ("heads", "state_size", "head_dim")),
            Binding(5, "weight", "read", "f32", ("channels", "taps")),
            Binding(6, "bias", "read", "f32", ("channels",)),
            Binding(7, "vectors", "read", "f32", ("vector_length",)),
        ),
        overrides=(*_HEADS, *_ROW, *_TIME, *(("z_offset",) if gated else ())),
        grid=("heads", ("head_dim", 32), 1),
        twin=f"mamba.step_{way}",
        tolerance=_STEP,
        cases=_CASES,
        fill={"ring": "normal 1", "row": "normal 2", "state": "normal 1", "vectors": "uniform -3 1"},
    )


MAMBA_KERNELS: tuple[Kernel, ...] = (_mamba_step(gated=False), _mamba_step(gated=True))
