"""Catalog rows of the Mamba-2 scan: one token at a time (`ssm_step`), and many in chunks of 64 (`ssd_*`)."""

from collections.abc import Mapping

from .catalog import STEP, Binding, Kernel, Tolerance
from .tolerances import EXACT, SUM

_SCAN = Tolerance(
    1e-5, 7e-4,
    "exp(dt' A) is good to 3 + 2|x| ulp and is multiplied up over the tokens that a state lives; sums in f32; "
    "the state is f32 in every tier; f16 output rounds at 2^-11",
)  # fmt: skip
_PLACES = Tolerance(
    3e-6, 3e-6,
    "exp is good to 3 + 2|x| ulp; sums of up to 64 terms at 2^-24, which tests keep away from whole numbers; f32 in "
    "every tier",
)  # fmt: skip
_SCORES = Tolerance(5e-6, 5e-6, f"{SUM}; f32 in every tier")

_SIZES = ("heads", "head_dim", "groups", "state_size")
_ROWS = ("stride", "x_offset", "b_offset", "c_offset")
_TIME = ("dt_stride", "dt_offset", "dt_min", "dt_max")
_SSD = (*_SIZES, *_ROWS)

Case = Mapping[str, float]
Sizes = tuple[int, int, int, int, int]


def _scan_case(
    sizes: Sizes, limits: tuple[float, float] = (0, 3.4e38), has_d: int = 1, done: int = 0
) -> Case:
    """`sizes` are tokens, heads, head_dim, groups, state_size. B and C lie behind x, dt behind a gap of 3."""
    tokens, heads, head_dim, groups, state_size = sizes
    inner, side = heads * head_dim, groups * state_size
    rows = (inner + 2 * side + 5, 1, inner + 2, inner + side + 3)
    return {
        "tokens": tokens,
        **dict(zip(_SIZES, sizes[1:], strict=True)),
        **dict(zip(_ROWS, rows, strict=True)),
        **dict(zip(_TIME, (heads + 3, 3, *limits), strict=True)),
        "has_d": has_d,
        "done": done,
    }


def _aligned_case(sizes: Sizes, has_d: int = 1, done: int = 0) -> Case:
    """As `_scan_case`, with every part of a row a multiple of 4 long, and gaps of 4."""
    case = _scan_case(sizes, has_d=has_d, done=done)
    _, heads, head_dim, groups, state_size = sizes
    inner, side = heads * -(-head_dim // 4) * 4, groups * -(-state_size // 4) * 4
    rows = (inner + 2 * side + 16, 4, inner + 8, inner + side + 12)
    return {**case, **dict(zip(_ROWS, rows, strict=True))}


_XBC = Binding(1, "xbc", "read", "elem", ("tokens", "stride"))
_STATE_SHAPE = ("heads", "state_size", "head_dim")
_PADDED_STATE = ("(state_size+3)//4*4", "(head_dim+3)//4*4")
_MOVES = ("tokens", "heads", 4)
_SCORES_SHAPE = ("(tokens+63)//64", "groups", 64, 64)
_STATES_SHAPE = ("(tokens+63)//64", "heads", *_PADDED_STATE)
_TIME_FILL = {"a_log": "uniform -1 4", "dt": "normal 8", "dt_bias": "uniform -5 0"}
_TILES = ("heads*((head_dim+7)//8)", 8)

_SSM_STEP = Kernel(
    name="ssm_step",
    shader="ssm_step.wgsl",
    parts=("ssm.wgsl", "softplus.wgsl", "step.wgsl"),
    bindings=(
        STEP,
        _XBC,
        Binding(2, "dt", "read", "elem", ("tokens", "dt_stride")),
        Binding(3, "a_log", "read", "f32", ("heads",)),
        Binding(4, "dt_bias", "read", "f32", ("heads",)),
        Binding(5, "d", "read", "f32", ("heads",)),
        Binding(6, "state", "write", "f32", _STATE_SHAPE),
        Binding(7, "out", "write", "elem", ("tokens", "heads*head_dim")),
    ),
    overrides=(*_SSD, *_TIME, "has_d"),
    grid=("heads", ("head_dim", 32), 1),
    twin="ssm.ssm",
    tolerance=_SCAN,
    cases=(
        _scan_case((1, 1, 1, 1, 1)),
        _scan_case((1, 6, 80, 2, 13)),
        _scan_case((1, 8, 32, 8, 64), has_d=0),
        _scan_case((1, 3, 64, 1, 256), limits=(0.001, 0.1)),
        _scan_case((1, 48, 32, 1, 128)),
        _scan_case((1, 2, 32, 1, 16), done=1),
    ),
    fill={**_TIME_FILL, "state": "normal 1"},
)

_SSD_ALIGN = Kernel(
    name="ssd_align",
    shader="ssd_align.wgsl",
    parts=("step.wgsl",),
    bindings=(
        STEP,
        _XBC,
        Binding(
            2, "out", "write", "elem",
            ("tokens", "heads*((head_dim+3)//4*4)+2*groups*((state_size+3)//4*4)"),
        ),
    ),
    overrides=_SSD,
    grid=(("heads*((head_dim+3)//4*4)+2*groups*((state_size+3)//4*4)", 64), "tokens", 1),
    twin="ssd.ssd_align",
    tolerance=EXACT,
    cases=(
        _scan_case((1, 1, 1, 1, 1)),
        _scan_case((3, 6, 37, 2, 13)),
        _scan_case((67, 4, 80, 1, 16)),
        _scan_case((2, 2, 5, 1, 7), done=1),
    ),
)  # fmt: skip

_SSD_DECAY = Kernel(
    name="ssd_decay",
    shader="ssd_decay.wgsl",
    parts=("ssd.wgsl", "softplus.wgsl", "step.wgsl"),
    bindings=(
        STEP,
        Binding(1, "dt", "read", "elem", ("tokens", "dt_stride")),
        Binding(2, "a_log", "read", "f32", ("heads",)),
        Binding(3, "dt_bias", "read", "f32", ("heads",)),
        Binding(4, "moves", "write", "f32", _MOVES),
    ),
    overrides=(*_SSD, *_TIME),
    grid=("heads", ("tokens", 64), 1),
    twin="ssd.ssd_decay",
    tolerance=_PLACES,
    cases=(
        _scan_case((1, 1, 1, 1, 1)),
        _scan_case((63, 6, 1, 1, 1)),
        _scan_case((64, 8, 1, 1, 1), limits=(0.001, 0.1)),
        _scan_case((65, 67, 1, 1, 1)),
        _scan_case((131, 48, 1, 1, 1)),
        _scan_case((3, 2, 1, 1, 1), done=1),
    ),
    fill={"a_log": "uniform -3 1", "dt": "normal 2", "dt_bias": "uniform -3 0"},
)

_SSD_SCORES = Kernel(
    name="ssd_scores",
    shader="ssd_scores.wgsl",
    parts=("ssd.wgsl", "step.wgsl"),
    bindings=(STEP, _XBC, Binding(2, "scores", "write", "f32", _SCORES_SHAPE)),
    overrides=_SSD,
    grid=("groups", ("tokens", 64), 4),
    twin="ssd.ssd_scores",
    tolerance=_SCORES,
    cases=(
        _aligned_case((1, 1, 1, 1, 1)),
        _aligned_case((63, 6, 5, 2, 13)),
        _aligned_case((64, 8, 4, 8, 64)),
        _aligned_case((131, 4, 8, 1, 256)),
        _aligned_case((3, 2, 4, 1, 16), done=1),
    ),
)

_SSD_STATES = Kernel(
    name="ssd_states",
    shader="ssd_states.wgsl",
    parts=("ssd.wgsl", "ssd_tile.wgsl", "step.wgsl"),
    bindings=(
        STEP,
        _XBC,
        Binding(2, "moves", "read", "f32", _MOVES),
        Binding(3, "state", "write", "f32", _STATE_SHAPE),
        Binding(4, "states", "write", "f32", _STATES_SHAPE),
    ),
    overrides=_SSD,
    grid=(_TILES, ("state_size", 64), 1),
    twin="ssd.ssd_states",
    tolerance=_SCAN,
    cases=(
        _aligned_case((1, 1, 1, 1, 1)),
        _aligned_case((63, 6, 80, 2, 13)),
        _aligned_case((64, 8, 32, 8, 64)),
        _aligned_case((65, 2, 64, 1, 256)),
        _aligned_case((131, 4, 37, 2, 20)),
        _aligned_case((3, 2, 32, 1, 16), done=1),
    ),
    fill={"moves": "moves 64", "state": "normal 1"},
)

_SSD_OUT = Kernel(
    name="ssd_out",
    shader="ssd_out.wgsl",
    parts=("ssd.wgsl", "ssd_tile.wgsl", "step.wgsl"),
    bindings=(
        STEP,
        _XBC,
        Binding(2, "moves", "read", "f32", _MOVES),
        Binding(3, "scores", "read", "f32", _SCORES_SHAPE),
        Binding(4, "states", "read", "f32", _STATES_SHAPE),
        Binding(5, "d", "read", "f32", ("heads",)),
        Binding(6, "out", "write", "elem", ("tokens", "heads*head_dim")),
    ),
    overrides=(*_SSD, "has_d"),
    grid=(_TILES, ("tokens", 64), 1),
    twin="ssd.ssd_out",
    tolerance=_SCAN,
    cases=(
        _aligned_case((1, 1, 1, 1, 1)),
        _aligned_case((63, 6, 80, 2, 13)),
        _aligned_case((64, 8, 32, 8, 64), has_d=0),
        _aligned_case((65, 2, 64, 1, 256)),
        _aligned_case((131, 4, 37, 2, 20)),
        _aligned_case((3, 2, 32, 1, 16), done=1),
    ),
    fill={"moves": "moves 64"},
)

SCAN_KERNELS: tuple[Kernel, ...] = (_SSM_STEP, _SSD_ALIGN, _SSD_DECAY, _SSD_SCORES, _SSD_STATES, _SSD_OUT)
