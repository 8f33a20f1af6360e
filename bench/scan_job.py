"""What the page is told to play a plan's Mamba-2 scan, or to let a peer compute the same."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.kernels import grid_of, step_words
from bench.onnx_scan import WEIGHTS as ONNX_WEIGHTS
from bench.scan_values import WEIGHTS, rows_of
from wgsl_kernels import CATALOG, TIERS, Tier

Plan = Mapping[str, Any]
Dispatch = Mapping[str, Any]
Array = NDArray[Any]
Place = tuple[int, int]

KERNELS = "ssd_"
LAST = "ssd_out"
STEP = "step"
# What differs between blocks of tokens; all else of a plan is played again in place.
_OF_A_BLOCK = (STEP, "xbc", "dt")


class ValueFile:
    """The values of all engines in one file; a place in it is an offset and bytes."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._length = 0

    def add(self, values: Array) -> Place:
        """Where `values` lie from now on: at a multiple of 4, with bytes of a multiple of 4."""
        data = np.ascontiguousarray(values).tobytes()
        data += bytes(-len(data) % 4)
        place = (self._length, len(data))
        self._parts.append(data)
        self._length += len(data)
        return place

    def data(self) -> bytes:
        return b"".join(self._parts)


@dataclass(frozen=True)
class Bound:
    """One binding of a dispatch, by its name in the catalog; `offset` is the plan's."""

    name: str
    binding: int
    buffer: int
    offset: int
    size: int


@dataclass(frozen=True)
class Chain:
    """The dispatches of the first Mamba-2 layer's scan in a plan, and what they bind."""

    plan: Plan
    dispatches: Sequence[Dispatch]

    @classmethod
    def of(cls, plan: Plan) -> "Chain | None":
        """None for a plan without such a layer."""
        found = []
        for dispatch in plan["phases"].get("prefill", ()):
            shader = _shader(plan, dispatch)
            if shader.startswith(KERNELS):
                found.append(dispatch)
            if shader == LAST:
                return cls(plan, found)
        return None

    @property
    def tier(self) -> Tier:
        return TIERS[self.plan["tier"]]

    @property
    def constants(self) -> dict[str, float]:
        """Of all kernels; of those that read other rows after an alignment, the first one's count."""
        found: dict[str, float] = {}
        for dispatch in self.dispatches:
            found = {**self.plan["kernels"][dispatch["kernel"]]["constants"], **found}
        return found

    def shaders(self) -> list[str]:
        return [_shader(self.plan, dispatch) for dispatch in self.dispatches]

    def bound(self, dispatch: Dispatch) -> list[Bound]:
        names = {each.index: each.name for each in CATALOG[_shader(self.plan, dispatch)].bindings}
        return [
            Bound(names[binding], binding, buffer, offset, size)
            for binding, buffer, offset, size in dispatch["bind"]
        ]

    def every(self) -> list[Bound]:
        return [one for dispatch in self.dispatches for one in self.bound(dispatch)]

    def first(self, name: str) -> Bound:
        """Where the scan first binds what is called so: for rows, where they are before an alignment."""
        return next(one for one in self.every() if one.name == name)

    @property
    def out(self) -> Bound:
        return next(one for one in self.bound(self.dispatches[-1]) if one.name == "out")

    def blocks(self, tokens: int) -> Iterator[tuple[int, int]]:
        """First token and end of each block, as the engine cuts a prompt."""
        most = int(self.plan["symbols"]["tokens"])
        return ((first, min(tokens, first + most)) for first in range(0, tokens, most))


def _shader(plan: Plan, dispatch: Dispatch) -> str:
    return str(plan["kernels"][dispatch["kernel"]]["shader"])


@dataclass
class _Buffers:
    """The page's buffers: one for each of the plan's, of the range that is bound; of some one for each block."""

    chain: Chain
    made: dict[tuple[int, int], int] = field(default_factory=dict)
    contents: dict[int, bytearray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        every = self.chain.every()
        self._apart = {self.chain.first(name).buffer for name in _OF_A_BLOCK} | {self.chain.out.buffer}
        self._begins = {one.buffer: min(o.offset for o in every if o.buffer == one.buffer) for one in every}
        self._ends = {
            one.buffer: max(o.offset + o.size for o in every if o.buffer == one.buffer) for one in every
        }

    def place(self, bound: Bound, block: int) -> tuple[int, int]:
        """The page's buffer and the offset in it."""
        key = (bound.buffer, block if bound.buffer in self._apart else 0)
        return self.made.setdefault(key, len(self.made)), bound.offset - self._begins[bound.buffer]

    def fill(self, bound: Bound, block: int, values: Array) -> None:
        buffer, offset = self.place(bound, block)
        data = values.tobytes()
        held = self.contents.setdefault(buffer, bytearray(self._bytes(bound.buffer)))
        held[offset : offset + len(data)] = data

    def _bytes(self, number: int) -> int:
        return -(-(self._ends[number] - self._begins[number]) // 4) * 4

    def described(self, file: ValueFile) -> list[dict[str, Any]]:
        """In the order of their indices."""
        filled = {index: file.add(np.frombuffer(data, np.uint8)) for index, data in self.contents.items()}
        return [
            {"bytes": self._bytes(number), "filled": filled.get(index)}
            for (number, _), index in self.made.items()
        ]


def our_job(chain: Chain, values: Mapping[str, Array], file: ValueFile) -> dict[str, Any]:
    """What the page plays: kernels, buffers with what they hold at first, and the dispatches of each block."""
    blocks = list(chain.blocks(values["x"].shape[1]))
    buffers = _Buffers(chain)
    _fill(buffers, chain, values, blocks)
    state = chain.first("state")
    width = values["x"].shape[2]
    kernels = [chain.plan["kernels"][dispatch["kernel"]] for dispatch in chain.dispatches]
    job = {
        "features": list(chain.tier.features),
        "half": chain.tier.elem == "f16",
        "kernels": [
            {"code": chain.plan["shaders"][kernel["shader"]], "constants": kernel["constants"]}
            for kernel in kernels
        ],
        "blocks": [
            [_played(buffers, chain, dispatch, block, end - first) for dispatch in chain.dispatches]
            for block, (first, end) in enumerate(blocks)
        ],
        "y": [
            (*buffers.place(chain.out, block), (end - first) * width)
            for block, (first, end) in enumerate(blocks)
        ],
        "state": (*buffers.place(state, 0), values["past_state"].size),
    }
    return job | {"buffers": buffers.described(file)}


def _fill(
    buffers: _Buffers, chain: Chain, values: Mapping[str, Array], blocks: Sequence[tuple[int, int]]
) -> None:
    rows = rows_of(values, chain.constants, chain.tier)
    for block, (first, end) in enumerate(blocks):
        symbols = {"tokens": end - first, "past": first, "sequences": 1}
        buffers.fill(chain.first(STEP), block, np.array(step_words(symbols), np.uint32))
        for name, array in rows.items():
            buffers.fill(chain.first(name), block, array[first:end])
    # Without D a plan binds another weight in its place, which is not to be written over.
    weights = {name: given for name, given in WEIGHTS.items() if name != "d" or chain.constants["has_d"]}
    for name, given in weights.items():
        buffers.fill(chain.first(name), 0, values[given])
    buffers.fill(chain.first("state"), 0, values["past_state"])


def _played(buffers: _Buffers, chain: Chain, dispatch: Dispatch, block: int, tokens: int) -> dict[str, Any]:
    bound = [(one.binding, *buffers.place(one, block), one.size) for one in chain.bound(dispatch)]
    return {"grid": grid_of(dispatch, {"tokens": tokens}), "bound": bound}


def peer_inputs(values: Mapping[str, Array], file: ValueFile) -> dict[str, Any]:
    """Name -> dimensions and place of what a session is fed."""
    return {
        name: {"dims": list(array.shape), "place": file.add(array)}
        for name, array in values.items()
        if name not in ONNX_WEIGHTS
    }
