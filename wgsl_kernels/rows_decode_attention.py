"""Catalog rows of attention of one token over the cache, in splits that are put together."""

from .catalog import STEP, Binding, Kernel, Tolerance
from .tolerances import SOFTMAX

_PARTS = Tolerance(2e-5, 2e-5, f"{SOFTMAX.reason}; here it is f32 in every tier")

_SPLIT_NAMES = "past context heads kv_heads head_dim scale query_stride query_offset window softcap splits"
_MERGE_NAMES = "past heads head_dim window splits"

_MIXES = Binding(4, "mixes", "write", "f32", ("splits", "heads", "head_dim"))
_SUMS = Binding(5, "sums", "write", "f32", ("splits", "heads", 2))

_SPLIT = Kernel(
    name="attention_split",
    shader="attention_split.wgsl",
    parts=("capped_scores.wgsl", "fold.wgsl", "step.wgsl"),
    bindings=(
        STEP,
        Binding(1, "query", "read", "elem", (1, "query_stride")),
        Binding(2, "key", "read", "elem", ("context", "kv_heads*head_dim")),
        Binding(3, "value", "read", "elem", ("context", "kv_heads*head_dim")),
        _MIXES,
        _SUMS,
    ),
    overrides=(
        "heads", "kv_heads", "head_dim", "scale", "query_stride", "query_offset", "window", "softcap", "splits",
    ),
    grid=("kv_heads*((heads//kv_heads+3)//4)", "splits", 1),
    twin="attention.attention_split",
    tolerance=_PARTS,
    cases=tuple(
        dict(zip(_SPLIT_NAMES.split(), case, strict=True))
        for case in (
            (0, 1, 1, 1, 4, 1, 4, 0, 0, 0, 2),
            (127, 130, 6, 2, 12, 0.5, 91, 11, 0, 0, 3),
            (128, 130, 12, 4, 64, 0.015625, 1280, 0, 0, 0, 4),
            (700, 701, 10, 2, 80, 0.2, 800, 0, 0, 20, 2),
            (1003, 1004, 3, 1, 128, 0.08, 512, 128, 300, 0, 8),
            (4095, 4096, 8, 1, 256, 0.06, 2048, 0, 0, 0, 5),
            (400, 401, 2, 1, 32, 0.3, 64, 0, 1, 0, 2),
        )
    ),
)  # fmt: skip

_MERGE = Kernel(
    name="attention_merge",
    shader="attention_merge.wgsl",
    parts=("step.wgsl",),
    bindings=(
        STEP,
        Binding(1, "mixes", "read", "f32", ("splits", "heads", "head_dim")),
        Binding(2, "sums", "read", "f32", ("splits", "heads", 2)),
        Binding(3, "out", "write", "elem", (1, "heads*head_dim")),
    ),
    overrides=("heads", "head_dim", "window", "splits"),
    grid=("heads", 1, 1),
    twin="attention.attention_merge",
    tolerance=SOFTMAX,
    cases=tuple(
        dict(zip(_MERGE_NAMES.split(), case, strict=True))
        for case in (
            (0, 1, 4, 0, 2),
            (128, 3, 67, 0, 3),
            (4000, 12, 64, 0, 8),
            (4000, 12, 128, 300, 8),
            (300, 2, 256, 0, 2),
        )
    ),
    fill={"sums": "uniform 1 9"},
)

DECODE_ATTENTION_KERNELS: tuple[Kernel, ...] = (_SPLIT, _MERGE)
