"""Catalog rows of the mixture of experts: routing, and the experts' gated MLPs for few tokens (GEMV) and many (GEMM).

A pair is a token and one of its `slots` experts, numbered token * slots + slot. An expert's matrix up has its gate rows
at even and its up rows at odd places. A weight (expert_total * rows, inner) over the binding limit is cut by whole
experts: a dispatch gets those from `first_expert` on.
"""

from collections.abc import Iterator, Mapping

from .catalog import STEP, Binding, Kernel, Tolerance
from .formats import FORMATS
from .packed_weights import weight_bindings, weight_parts
from .tolerances import EXACT, ROUNDING, SUM

_GATED = Tolerance(
    1e-5, 7e-4, f"{SUM}, and a product of two of them; exp is off by 3 + 2|x| ulp; f16 output rounds at 2^-11"
)
_DOWN = Tolerance(5e-6, 7e-4, f"{SUM}, 2048 terms at most here; f16 output rounds at 2^-11")
_CUT = ("inner", "rows", "slots", "first_expert")


def _names(names: str, *values: float) -> Mapping[str, float]:
    return dict(zip(names.split(), values, strict=True))


_TOP_EXPERTS = Kernel(
    name="top_experts",
    shader="top_experts.wgsl",
    parts=("rank.wgsl", "ordered.wgsl"),
    bindings=(
        Binding(1, "logits", "read", "f32", ("tokens", "expert_total")),
        Binding(2, "experts", "write", "u32", ("tokens", "slots")),
        Binding(3, "routing", "write", "f32", ("tokens", "slots")),
    ),
    overrides=("expert_total", "slots"),
    grid=("tokens", 1, 1),
    twin="experts.top_experts",
    tolerance=Tolerance(2e-6, 2e-6, "exp is good to 3 + 2|x| ulp of a number that is 1 at most"),
    cases=tuple(
        _names("tokens expert_total slots logit_end", *case)
        for case in ((1, 1, 1, 9), (3, 7, 7, 4), (5, 72, 10, 12), (2, 256, 16, 40), (67, 64, 6, 30))
    ),
    fill={"logits": "index 0 logit_end"},
)

_GROUP_BY_EXPERT = Kernel(
    name="group_by_expert",
    shader="group_by_expert.wgsl",
    parts=("step.wgsl",),
    bindings=(
        STEP,
        Binding(1, "experts", "read", "u32", ("tokens", "slots")),
        Binding(2, "bounds", "write", "u32", ("expert_total+1",)),
        Binding(3, "pairs", "write", "u32", ("tokens*slots",)),
    ),
    overrides=("expert_total", "slots"),
    grid=("expert_total", 1, 1),
    twin="experts.group_by_expert",
    tolerance=EXACT,
    cases=tuple(
        _names("tokens expert_total slots", *case)
        for case in ((1, 1, 1), (3, 7, 5), (67, 64, 6), (256, 256, 16))
    ),
    fill={"experts": "index expert_total//5 expert_total"},
)

_SUM_EXPERTS = Kernel(
    name="sum_experts",
    shader="sum_experts.wgsl",
    parts=(),
    bindings=(
        Binding(1, "x", "read", "elem", ("tokens*slots", "width")),
        Binding(2, "out", "write", "elem", ("tokens", "width")),
        Binding(3, "routing", "read", "f32", ("tokens", "slots")),
    ),
    overrides=("width", "slots"),
    grid=(("width", 256), "tokens", 1),
    twin="experts.sum_experts",
    tolerance=Tolerance(2e-6, ROUNDING.f16, "a sum of at most 16 products; f16 output rounds at 2^-11"),
    cases=tuple(_names("tokens slots width", *case) for case in ((1, 1, 1), (7, 16, 257), (3, 6, 1536))),
)

_SIZES = "tokens slots expert_total first_expert expert_count inner rows"
_GEMV_CASES = (
    _names(_SIZES, 2, 5, 6, 2, 3, 37, 10),
    _names(_SIZES, 1, 1, 1, 0, 1, 1, 2),
    _names(_SIZES, 1, 3, 3, 0, 3, 1536, 66),
)
_GEMM_CASES = (
    _names(_SIZES, 37, 3, 5, 1, 3, 37, 70),
    _names(_SIZES, 1, 1, 1, 0, 1, 1, 2),
    _names(_SIZES, 70, 2, 3, 0, 3, 256, 128),
)
_EVERY_SIZE = ("f32", "q4")  # the others differ from these inside a block only


def _up_gemv(fmt: str) -> Kernel:
    return Kernel(
        name=f"experts_up_gemv_{fmt}",
        shader="experts_up_gemv.wgsl",
        parts=(*_gemv_parts(fmt), "rank.wgsl", "ordered.wgsl", "sigmoid.wgsl"),
        bindings=(
            Binding(1, "x", "read", "elem", ("tokens", "inner")),
            Binding(2, "out", "write", "elem", ("tokens*slots", "rows//2")),
            *weight_bindings(fmt, "expert_count*rows", "inner"),
            Binding(5, "routes", "write", "u32", ("tokens", "slots", 2)),
            Binding(6, "logits", "read", "f32", ("tokens", "expert_total")),
        ),
        overrides=(*_CUT, "expert_count", "expert_total"),
        grid=(("rows", 4), "tokens", "slots"),
        twin="experts.up_gemv",
        tolerance=_GATED,
        cases=_cases(_GEMV_CASES, fmt),
        fmt=fmt,
        fill={"logits": "index 0 9"},
    )


def _down_gemv(fmt: str) -> Kernel:
    return Kernel(
        name=f"experts_down_gemv_{fmt}",
        shader="experts_down_gemv.wgsl",
        parts=_gemv_parts(fmt),
        bindings=(
            Binding(1, "x", "read", "elem", ("tokens*slots", "inner")),
            Binding(2, "out", "write", "elem", ("tokens", "rows")),
            *weight_bindings(fmt, "expert_count*rows", "inner"),
            Binding(5, "routes", "read", "u32", ("tokens", "slots", 2)),
        ),
        overrides=(*_CUT, "expert_count", "accumulate"),
        grid=(("rows", 4), "tokens", 1),
        twin="experts.down_gemv",
        tolerance=_DOWN,
        cases=tuple(
            {**case, "accumulate": int(case["first_expert"] > 0)} for case in _cases(_GEMV_CASES, fmt)
        ),
        fmt=fmt,
        fill={"routes": "routes expert_total", "out": "normal 1"},
    )


def _gemv_parts(fmt: str) -> tuple[str, ...]:
    return ("reduce_workgroup.wgsl", "linear_input.wgsl", "dot_4_rows.wgsl", *weight_parts(fmt))


def _gemm(direction: str, fmt: str) -> Kernel:
    up = direction == "up"
    return Kernel(
        name=f"experts_{direction}_gemm_{fmt}",
        shader="experts_gemm.wgsl",
        parts=(
            f"experts_gemm_{direction}.wgsl",
            *(("sigmoid.wgsl",) if up else ()),
            "linear_input.wgsl",
            "staged_matrices.wgsl",
            *weight_parts(fmt),
        ),
        bindings=(
            Binding(1, "x", "read", "elem", ("tokens" if up else "tokens*slots", "inner")),
            Binding(2, "out", "write", "elem", ("tokens*slots", "rows//2" if up else "rows")),
            *weight_bindings(fmt, "expert_count*rows", "inner"),
            Binding(5, "bounds", "read", "u32", ("expert_total+1",)),
            Binding(6, "pairs", "read", "u32", ("tokens*slots",)),
        ),
        overrides=_CUT,
        grid=(("rows", 64), "expert_count", ("tokens", 32)),
        twin=f"experts.{direction}_gemm",
        tolerance=_GATED if up else _DOWN,
        cases=_cases(_GEMM_CASES, fmt),
        fmt=fmt,
        fill={"bounds": "expert_bounds", "pairs": "expert_pairs"},
    )


def _cases(cases: tuple[Mapping[str, float], ...], fmt: str) -> tuple[Mapping[str, float], ...]:
    return cases if fmt in _EVERY_SIZE else cases[:1]


def _experts() -> Iterator[Kernel]:
    for fmt in FORMATS:
        yield _up_gemv(fmt)
        yield _down_gemv(fmt)
        yield _gemm("up", fmt)
        yield _gemm("down", fmt)


EXPERT_KERNELS: tuple[Kernel, ...] = (_TOP_EXPERTS, _GROUP_BY_EXPERT, _SUM_EXPERTS, *_experts())
