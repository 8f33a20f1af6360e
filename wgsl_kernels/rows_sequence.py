"""Catalog rows of the kernels that walk a sequence: caches, attention, convolution, sampling."""

from collections.abc import Mapping
from dataclasses import replace

from .catalog import STEP, Binding, Kernel, Tolerance
from .tolerances import EXACT, SOFTMAX

_VIEW = Binding(1, "x", "read", "elem", ("tokens", "x_stride"))
_VIEWED = ("x_stride", "x_offset")

_ROTATION = Tolerance(3e-7, 7e-4, "two products and a sum at 2^-24; f16 output rounds at 2^-11")
_CONVOLUTION = Tolerance(2e-6, 7e-4, "a sum of at most 9 terms in f32, then exp; f16 output rounds at 2^-11")


def _names(names: str, *values: float) -> Mapping[str, float]:
    """A case from names and as many numbers."""
    return dict(zip(names.split(), values, strict=True))


_KEYS_VALUES = (
    Binding(1, "key", "read", "elem", ("tokens", "key_stride")),
    Binding(2, "value", "read", "elem", ("tokens", "value_stride")),
    Binding(3, "keys", "write", "elem", ("context", "width")),
    Binding(4, "values", "write", "elem", ("context", "width")),
)
_KEY_VALUE_PLACES = ("key_stride", "key_offset", "value_stride", "value_offset")

_CACHE_WRITE = Kernel(
    name="cache_write",
    shader="cache_write.wgsl",
    parts=("step.wgsl",),
    bindings=(STEP, *_KEYS_VALUES),
    overrides=("width", *_KEY_VALUE_PLACES),
    grid=(("2*width", 64), "tokens", 1),
    twin="cache.cache_write",
    tolerance=EXACT,
    cases=tuple(
        _names("tokens past context width key_stride key_offset value_stride value_offset done", *case)
        for case in (
            (1, 0, 1, 1, 1, 0, 1, 0, 0),
            (3, 5, 11, 67, 83, 13, 70, 3, 0),
            (4, 2, 8, 256, 1280, 768, 1280, 1024, 0),
            (2, 1, 4, 65, 65, 0, 65, 0, 1),
        )
    ),
)

_CACHE_WRITE_ROPE = Kernel(
    name="cache_write_rope",
    shader="cache_write_rope.wgsl",
    parts=("step.wgsl",),
    bindings=(
        STEP,
        *_KEYS_VALUES,
        Binding(5, "query", "read", "elem", ("tokens", "query_stride")),
        Binding(6, "out", "write", "elem", ("tokens", "query_width")),
        Binding(7, "table", "read", "f32", ("context", "rotary_dim//2", 2)),
    ),
    overrides=(
        "width", "query_width", "head_dim", "rotary_dim", "query_stride", "query_offset", *_KEY_VALUE_PLACES,
    ),
    grid=(("query_width+2*width", 64), "tokens", 1),
    twin="cache.cache_write_rope",
    tolerance=_ROTATION,
    cases=tuple(
        _names(
            "tokens past context width query_width head_dim rotary_dim query_stride query_offset key_stride key_offset "
            "value_stride value_offset done", *case,
        )
        for case in (
            (1, 0, 1, 2, 2, 2, 2, 2, 0, 2, 0, 2, 0, 0),
            (3, 5, 11, 70, 140, 10, 6, 163, 23, 83, 13, 75, 5, 0),
            (5, 0, 5, 256, 768, 64, 64, 1280, 0, 1280, 768, 1280, 1024, 0),
            (2, 3, 9, 256, 512, 128, 64, 512, 0, 256, 0, 256, 0, 0),
            (2, 1, 4, 64, 64, 64, 64, 64, 0, 64, 0, 64, 0, 1),
        )
    ),
    fill={"table": "rope 10000"},
)  # fmt: skip

_ATTENTION_OUT = Binding(4, "out", "write", "elem", ("tokens", "heads*head_dim"))
_QUERY = Binding(1, "query", "read", "elem", ("tokens", "query_stride"))
_ATTENTION_GRID = ("heads", ("tokens", 4), 1)

_ATTENTION_CAUSAL = Kernel(
    name="attention_causal",
    shader="attention_causal.wgsl",
    parts=("attention.wgsl", "capped_scores.wgsl", "fold.wgsl", "step.wgsl"),
    bindings=(
        STEP,
        _QUERY,
        Binding(2, "key", "read", "elem", ("context", "kv_heads*head_dim")),
        Binding(3, "value", "read", "elem", ("context", "kv_heads*head_dim")),
        _ATTENTION_OUT,
    ),
    overrides=(
        "heads",
        "kv_heads",
        "head_dim",
        "scale",
        "query_stride",
        "query_offset",
        "window",
        "softcap",
    ),
    grid=_ATTENTION_GRID,
    twin="attention.attention_causal",
    tolerance=SOFTMAX,
    cases=tuple(
        _names(
            "tokens past context heads kv_heads head_dim scale query_stride query_offset window softcap",
            *case,
        )
        for case in (
            (1, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0),
            (7, 3, 13, 6, 2, 5, 0.5, 41, 11, 0, 0),
            (67, 0, 67, 2, 2, 32, 0.2, 64, 0, 0, 0),
            (5, 300, 310, 12, 4, 64, 0.015625, 1280, 0, 0, 0),
            (3, 64, 67, 3, 1, 80, 1, 240, 0, 0, 2),
            (2, 513, 515, 2, 1, 128, 0.0078125, 512, 256, 0, 0),
            (1, 4095, 4096, 4, 1, 64, 0.125, 256, 0, 0, 0),
            (9, 250, 259, 2, 1, 256, 0.0625, 512, 0, 5, 50),
            (67, 600, 667, 2, 1, 32, 0.3, 64, 0, 300, 0),
            (3, 2, 5, 2, 1, 16, 0.3, 32, 0, 1, 0),
            (1, 1000, 1001, 2, 1, 32, 0.3, 64, 0, 257, 0),
        )
    ),
)

_ATTENTION_BIDIRECTIONAL = Kernel(
    name="attention_bidirectional",
    shader="attention_bidirectional.wgsl",
    parts=("attention.wgsl", "fold.wgsl", "step.wgsl"),
    bindings=(
        STEP,
        _QUERY,
        Binding(2, "key", "read", "elem", ("tokens", "key_stride")),
        Binding(3, "value", "read", "elem", ("tokens", "value_stride")),
        _ATTENTION_OUT,
        Binding(6, "bounds", "read", "u32", ("sequences+1",)),
        Binding(5, "sequence_of", "read", "u32", ("tokens",)),
    ),
    overrides=(
        "heads", "head_dim", "scale", "query_stride", "query_offset", "key_stride", "key_offset", "value_stride",
        "value_offset",
    ),
    grid=_ATTENTION_GRID,
    twin="attention.attention_bidirectional",
    tolerance=SOFTMAX,
    cases=tuple(
        _names(
            "tokens sequences heads head_dim scale query_stride query_offset key_stride key_offset "
            "value_stride value_offset", *case,
        )
        for case in (
            (1, 1, 1, 1, 1, 1, 0, 1, 0, 1, 0),
            (13, 3, 2, 5, 0.5, 31, 1, 37, 11, 41, 23),
            (20, 20, 2, 32, 0.2, 64, 0, 64, 0, 64, 0),
            (67, 9, 12, 32, 0.17677669, 1152, 0, 1152, 384, 1152, 768),
            (257, 2, 2, 64, 0.125, 384, 0, 384, 128, 384, 256),
            (65, 1, 3, 80, 1, 240, 0, 240, 0, 240, 0),
            (6, 2, 2, 256, 0.0625, 512, 0, 512, 0, 512, 0),
        )
    ),
    fill={"bounds": "bounds tokens", "sequence_of": "sequence_of"},
)  # fmt: skip

_ATTENTION_BIDIRECTIONAL_DIRECT = replace(
    _ATTENTION_BIDIRECTIONAL,
    name="attention_bidirectional_direct",
    parts=("attention_direct.wgsl", "step.wgsl"),
    grid=("heads", ("tokens", 32), 1),
)

_CAUSAL_CONV = Kernel(
    name="causal_conv",
    shader="causal_conv.wgsl",
    parts=("sigmoid.wgsl", "step.wgsl"),
    bindings=(
        STEP,
        _VIEW,
        Binding(2, "out", "write", "elem", ("tokens", "channels")),
        Binding(3, "weight", "read", "f32", ("channels", "taps")),
        Binding(4, "bias", "read", "f32", ("channels",)),
        Binding(5, "ring", "write", "elem", ("taps", "channels")),
    ),
    overrides=("channels", "taps", *_VIEWED, "has_bias"),
    grid=(("channels", 64), 1, 1),
    twin="conv.causal_conv",
    tolerance=_CONVOLUTION,
    cases=tuple(
        _names("tokens past channels taps x_stride x_offset has_bias done", *case)
        for case in (
            (1, 0, 1, 2, 1, 0, 1, 0),
            (1, 5, 67, 4, 67, 0, 1, 0),
            (2, 11, 130, 4, 163, 31, 0, 0),
            (3, 4, 65, 4, 65, 0, 1, 0),
            (4, 2, 65, 4, 65, 0, 1, 0),
            (7, 1, 64, 8, 64, 0, 1, 0),
            (33, 3, 1792, 4, 3376, 1536, 1, 0),
            (5, 9, 66, 4, 66, 0, 1, 1),
        )
    ),
    fill={"ring": "normal 1", "x": "normal 2"},
)


_SAMPLE = Kernel(
    name="sample",
    shader="sample.wgsl",
    parts=("fold.wgsl", "ordered.wgsl", "step.wgsl"),
    bindings=(
        STEP,
        Binding(1, "logits", "read", "f32", ("vocabulary",)),
        Binding(2, "sampling", "uniform", "sampling"),
        Binding(3, "token", "write", "u32", (1,)),
    ),
    overrides=("vocabulary",),
    grid=(1, 1, 1),
    twin="sampling.sample",
    tolerance=Tolerance(
        0.0, 0.0, "an index; the cases' draws are further than rounding from where it changes"
    ),
    cases=tuple(
        _names("vocabulary temperature top_p top_k seed past tokens done", *case)
        for case in (
            (1, 0.7, 0.9, 1, 0, 0, 1, 0),
            (2, 1, 1, 0, 1, 5, 1, 0),
            (257, 0, 1, 0, 2, 0, 7, 0),
            (1009, 0.8, 1, 40, 3, 11, 1, 0),
            (1009, 1.3, 0.5, 0, 4294967295, 4000, 1, 0),
            (65537, 1, 0.95, 50, 5, 8, 1, 0),
            (100352, 0.7, 0.9, 0, 6, 100, 3, 0),
            (100352, 2, 1, 0, 7, 1, 1, 0),
            (64, 1, 1, 0, 8, 1, 1, 1),
        )
    ),
    fill={"logits": "normal 3"},
)

_ADVANCE = Kernel(
    name="advance",
    shader="advance.wgsl",
    parts=("step.wgsl",),
    bindings=(
        Binding(0, "step", "write", "step"),
        Binding(1, "token", "read", "u32", (1,)),
        Binding(2, "ids", "write", "u32", ("most",)),
        Binding(3, "ring", "write", "u32", ("ring_length",)),
        Binding(4, "stops", "read", "u32", (4,)),
    ),
    overrides=("ring_length",),
    grid=(1, 1, 1),
    twin="sampling.advance",
    tolerance=EXACT,
    cases=tuple(
        _names("tokens past generated limit done most ring_length picked stop_count", *case)
        for case in (
            (9, 0, 0, 5, 0, 9, 4, 100, 3),
            (1, 41, 6, 100, 0, 1, 4, 100, 0),
            (1, 41, 7, 100, 0, 1, 1, 13, 2),
            (1, 41, 7, 100, 0, 1, 5, 13, 1),
            (1, 8, 4, 5, 0, 2, 7, 100, 3),
            (1, 8, 5, 5, 1, 2, 7, 100, 3),
        )
    ),
    fill={"token": "list picked", "stops": "list stop_count 2 13 100352"},
)

SEQUENCE_KERNELS: tuple[Kernel, ...] = (
    _CACHE_WRITE,
    _CACHE_WRITE_ROPE,
    _ATTENTION_CAUSAL,
    _ATTENTION_BIDIRECTIONAL,
    _ATTENTION_BIDIRECTIONAL_DIRECT,
    _CAUSAL_CONV,
    _SAMPLE,
    _ADVANCE,
)
