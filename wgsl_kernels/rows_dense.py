"""Catalog rows of the kernels that treat tokens alone and read no packed weight: norms, elementwise, pooling."""

from collections.abc import Mapping
from dataclasses import replace

from .catalog import STEP, Binding, Kernel, Tolerance
from .tolerances import EXACT, ROUNDING, SUM

_BY_ELEMENT = (("width", 256), "tokens", 1)
_ACTIVATION = ("activation.wgsl", "sigmoid.wgsl")

_NORM = Tolerance(4e-6, 7e-4, f"{SUM}, and inverseSqrt may be off by 2 ulp; f16 output rounds at 2^-11")
_ACTIVATED = Tolerance(
    2e-6,
    7e-4,
    "exp may be off by 3 + 2|x| ulp, erf by 3e-7, |x| / 2 of that in GELU; f16 output rounds at 2^-11",
)


def _norm_cases(**more: float) -> tuple[Mapping[str, float], ...]:
    sizes = ((1, 1, 1e-5), (3, 37, 1e-12), (5, 384, 1e-12), (2, 768, 1e-5), (1, 2048, 1e-6))
    return tuple({"tokens": t, "width": w, "epsilon": e, **more} for t, w, e in sizes)


_LAYER_NORM = Kernel(
    name="layer_norm",
    shader="layer_norm.wgsl",
    parts=("reduce_workgroup.wgsl", "optional_bias.wgsl"),
    bindings=(
        Binding(1, "x", "read", "elem", ("tokens", "width")),
        Binding(2, "out", "write", "elem", ("tokens", "width")),
        Binding(3, "weight", "read", "f32", ("width",)),
        Binding(4, "bias", "read", "f32", ("width",)),
    ),
    overrides=("width", "epsilon", "has_bias"),
    grid=("tokens", 1, 1),
    twin="norms.layer_norm",
    tolerance=_NORM,
    cases=(*_norm_cases(has_bias=1), {"tokens": 3, "width": 37, "epsilon": 1e-5, "has_bias": 0}),
    fill={"x": "normal 3"},
)

_LAYER_NORM_DIRECT = replace(
    _LAYER_NORM,
    name="layer_norm_direct",
    shader="layer_norm_direct.wgsl",
    parts=("sum_of_one.wgsl", "optional_bias.wgsl"),
)

_RMS_NORM = Kernel(
    name="rms_norm",
    shader="rms_norm.wgsl",
    parts=("reduce_workgroup.wgsl",),
    bindings=(
        Binding(1, "x", "read", "elem", ("tokens", "x_stride")),
        Binding(2, "out", "write", "elem", ("tokens", "heads*width")),
        Binding(3, "weight", "read", "f32", ("width",)),
    ),
    overrides=("width", "epsilon", "heads", "x_stride", "x_offset"),
    grid=("heads", "tokens", 1),
    twin="norms.rms_norm",
    tolerance=_NORM,
    cases=(
        *({**case, "heads": 1, "x_stride": case["width"], "x_offset": 0} for case in _norm_cases()),
        {"tokens": 3, "width": 37, "epsilon": 1e-5, "heads": 5, "x_stride": 211, "x_offset": 13},
        {"tokens": 2, "width": 128, "epsilon": 1e-6, "heads": 8, "x_stride": 2048, "x_offset": 1024},
    ),
    fill={"x": "normal 3"},
)

_RMS_NORM_DIRECT = replace(
    _RMS_NORM, name="rms_norm_direct", shader="rms_norm_direct.wgsl", parts=("sum_of_one.wgsl",)
)

_GATED_RMS_NORM = Kernel(
    name="gated_rms_norm",
    shader="gated_rms_norm.wgsl",
    parts=("reduce_workgroup.wgsl", "sigmoid.wgsl"),
    bindings=(
        Binding(1, "x", "read", "elem", ("tokens", "width")),
        Binding(2, "gate", "read", "elem", ("tokens", "gate_stride")),
        Binding(3, "out", "write", "elem", ("tokens", "width")),
        Binding(4, "weight", "read", "f32", ("width",)),
    ),
    overrides=("width", "groups", "epsilon", "gate_stride", "gate_offset"),
    grid=("tokens", "groups", 1),
    twin="norms.gated_rms_norm",
    tolerance=_NORM,
    cases=(
        {"tokens": 1, "width": 1, "groups": 1, "epsilon": 1e-5, "gate_stride": 1, "gate_offset": 0},
        {"tokens": 3, "width": 74, "groups": 2, "epsilon": 1e-5, "gate_stride": 81, "gate_offset": 3},
        {"tokens": 2, "width": 1536, "groups": 1, "epsilon": 1e-5, "gate_stride": 3376, "gate_offset": 0},
        {"tokens": 2, "width": 2048, "groups": 8, "epsilon": 1e-5, "gate_stride": 2048, "gate_offset": 0},
    ),
    fill={"x": "normal 3", "gate": "normal 2"},
)


_GATE = Kernel(
    name="gate",
    shader="gate.wgsl",
    parts=_ACTIVATION,
    bindings=(
        Binding(1, "x", "read", "elem", ("tokens", "2*width")),
        Binding(2, "out", "write", "elem", ("tokens", "width")),
    ),
    overrides=("width", "activation"),
    grid=_BY_ELEMENT,
    twin="elementwise.gate",
    tolerance=_ACTIVATED,
    cases=(
        {"tokens": 1, "width": 1, "activation": 4},
        {"tokens": 3, "width": 257, "activation": 2},
        {"tokens": 2, "width": 2048, "activation": 4},
    ),
    fill={"x": "normal 4"},
)

_ACTIVATE = Kernel(
    name="activate",
    shader="activate.wgsl",
    parts=_ACTIVATION,
    bindings=(
        Binding(1, "x", "read", "elem", ("tokens", "x_stride")),
        Binding(2, "out", "write", "elem", ("tokens", "width")),
    ),
    overrides=("width", "x_stride", "x_offset", "activation"),
    grid=_BY_ELEMENT,
    twin="elementwise.activate",
    tolerance=_ACTIVATED,
    cases=(
        {"tokens": 1, "width": 1, "x_stride": 1, "x_offset": 0, "activation": 1},
        *(
            {"tokens": 5, "width": 257, "x_stride": 301, "x_offset": 43, "activation": code}
            for code in range(7)
        ),
    ),
    fill={"x": "normal 20"},
)

_MULTIPLY = Kernel(
    name="multiply",
    shader="multiply.wgsl",
    parts=(),
    bindings=(
        Binding(1, "a", "read", "elem", ("tokens", "a_stride")),
        Binding(2, "b", "read", "elem", ("tokens", "b_stride")),
        Binding(3, "out", "write", "elem", ("tokens", "width")),
    ),
    overrides=("width", "a_stride", "a_offset", "b_stride", "b_offset"),
    grid=_BY_ELEMENT,
    twin="elementwise.multiply",
    tolerance=ROUNDING,
    cases=(
        {"tokens": 1, "width": 1, "a_stride": 1, "a_offset": 0, "b_stride": 1, "b_offset": 0},
        {"tokens": 3, "width": 257, "a_stride": 301, "a_offset": 43, "b_stride": 263, "b_offset": 5},
        {"tokens": 2, "width": 768, "a_stride": 768, "a_offset": 0, "b_stride": 1536, "b_offset": 768},
    ),
)

_ADD = Kernel(
    name="add",
    shader="add.wgsl",
    parts=(),
    bindings=(
        Binding(1, "a", "read", "elem", ("tokens", "width")),
        Binding(2, "b", "read", "elem", ("tokens", "width")),
        Binding(3, "out", "write", "elem", ("tokens", "width")),
    ),
    overrides=("width", "alpha"),
    grid=_BY_ELEMENT,
    twin="elementwise.add",
    tolerance=ROUNDING,
    cases=(
        {"tokens": 1, "width": 1, "alpha": 1},
        {"tokens": 3, "width": 257, "alpha": 0.22},
        {"tokens": 2, "width": 768, "alpha": -2},
    ),
)

_COPY = Kernel(
    name="copy",
    shader="copy.wgsl",
    parts=(),
    bindings=(
        Binding(1, "x", "read", "elem", ("tokens", "x_stride")),
        Binding(2, "out", "write", "elem", ("tokens", "width")),
    ),
    overrides=("width", "x_stride", "x_offset", "alpha"),
    grid=_BY_ELEMENT,
    twin="elementwise.copy",
    tolerance=ROUNDING,
    cases=(
        {"tokens": 1, "width": 1, "x_stride": 1, "x_offset": 0, "alpha": 1},
        {"tokens": 3, "width": 257, "x_stride": 301, "x_offset": 43, "alpha": 0.5},
        {"tokens": 2, "width": 384, "x_stride": 1152, "x_offset": 768, "alpha": 1},
    ),
)

_MEAN_POOL = Kernel(
    name="mean_pool",
    shader="mean_pool.wgsl",
    parts=("reduce_workgroup.wgsl",),
    bindings=(
        Binding(1, "x", "read", "elem", ("tokens", "width")),
        Binding(2, "bounds", "read", "u32", ("sequences+1",)),
        Binding(3, "out", "write", "f32", ("sequences", "width")),
    ),
    overrides=("width", "normalize", "first_only"),
    grid=("sequences", 1, 1),
    twin="pooling.mean_pool",
    tolerance=Tolerance(
        4e-6, 4e-6, f"{SUM}, and inverseSqrt may be off by 2 ulp; the output is f32 in every tier"
    ),
    cases=(
        {"tokens": 1, "sequences": 1, "width": 1, "normalize": 0, "first_only": 0},
        {"tokens": 13, "sequences": 3, "width": 37, "normalize": 1, "first_only": 0},
        {"tokens": 50, "sequences": 5, "width": 384, "normalize": 1, "first_only": 0},
        {"tokens": 9, "sequences": 2, "width": 1536, "normalize": 0, "first_only": 0},
        {"tokens": 13, "sequences": 3, "width": 257, "normalize": 1, "first_only": 1},
        {"tokens": 5, "sequences": 2, "width": 768, "normalize": 0, "first_only": 1},
    ),
    fill={"bounds": "bounds tokens"},
)

_TAKE_LAST = Kernel(
    name="take_last",
    shader="take_last.wgsl",
    parts=("step.wgsl",),
    bindings=(
        STEP,
        Binding(1, "x", "read", "elem", ("tokens", "width")),
        Binding(2, "out", "write", "elem", (1, "width")),
    ),
    overrides=("width",),
    grid=(("width", 256), 1, 1),
    twin="pooling.take_last",
    tolerance=EXACT,
    cases=({"tokens": 1, "width": 1}, {"tokens": 7, "width": 257}, {"tokens": 3, "width": 768}),
)

_TAKE_ROWS = Kernel(
    name="take_rows",
    shader="take_rows.wgsl",
    parts=(),
    bindings=(
        Binding(1, "x", "read", "elem", ("tokens", "width")),
        Binding(2, "index", "read", "u32", ("sequences+1",)),
        Binding(3, "out", "write", "elem", ("sequences", "width")),
    ),
    overrides=("width",),
    grid=(("width", 256), "sequences", 1),
    twin="pooling.take_rows",
    tolerance=EXACT,
    cases=(
        {"tokens": 1, "sequences": 1, "width": 1},
        {"tokens": 13, "sequences": 3, "width": 257},
        {"tokens": 9, "sequences": 2, "width": 768},
    ),
    fill={"index": "bounds tokens"},
)

DENSE_KERNELS: tuple[Kernel, ...] = (
    _LAYER_NORM,
    _LAYER_NORM_DIRECT,
    _RMS_NORM,
    _RMS_NORM_DIRECT,
    _GATED_RMS_NORM,
    _GATE,
    _ACTIVATE,
    _MULTIPLY,
    _ADD,
    _COPY,
    _MEAN_POOL,
    _TAKE_LAST,
    _TAKE_ROWS,
)
