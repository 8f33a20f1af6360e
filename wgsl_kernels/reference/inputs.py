"""Make the inputs of a catalog case: reproducible noise in the shape, dtype and range that the row asks for.

A row's `fill` maps a binding's name to one of these, where a, b.. are size expressions (`sizes.measure`):

    normal s        float noise of standard deviation s; "normal 1" unless the row says otherwise
    uniform lo hi   floats in [lo, hi), given as numbers
    index a b       integers in [a, b)
    bounds a        b[0] = 0 < b[1] < ... < b[last] = a: where packed sequences begin and end
    sequence_of     for each token, the sequence of `bounds` that holds it
    expert_pairs    pairs (token, slot) in the order of their experts; `tokens`, `slots`, `expert_total` from the case
    expert_bounds   where in these the pairs of each expert begin and end
    rope a          (positions, pairs, 2) cos and sin of position * a^(-pair / pairs)
    moves c         (tokens, heads, 4) as `ssd.ssd_decay` makes them, for chunks of c tokens
    list a b ...    these integers, then zeros
    zero            zeros
    nan             a NaN canary, for what a kernel must write, or must not read; "nan" unless the row says otherwise
                    for what is written (0xFFFFFFFF where it is integers)

The block "sampling" is filled from the case: `temperature`, `top_p`, `top_k`, `seed`.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields

import numpy as np

from ..catalog import Binding, Kernel
from ..formats import FORMATS, Format
from ..sizes import measure
from . import Array, Step

Names = Mapping[str, float]
CANARY = np.uint32(0xFFFFFFFF)


@dataclass(frozen=True)
class Case:
    """One catalog case, ready to run: `constants` as the shader gets them, arrays by binding name, the step block."""

    constants: Mapping[str, float]
    inputs: Mapping[str, Array]
    step: Step
    names: Mapping[str, float]


def make_case(kernel: Kernel, case: Names, elem: str) -> Case:
    """The case's inputs for element type `elem` ("f32" or "f16"); the same every time."""
    step = Step(**{field.name: int(case[field.name]) for field in fields(Step) if field.name in case})
    names = {**vars(step), **case}
    seed = zlib.crc32(f"{kernel.name} {sorted(case.items())}".encode())
    filler = _Filler(kernel, names, elem, np.random.default_rng(seed))
    for binding in sorted(kernel.bindings, key=lambda each: kernel.fill.get(each.name) == "sequence_of"):
        if binding.dtype != "step":
            filler.made[binding.name] = filler.fill(binding)
    constants = {name: float(np.float32(case[name])) for name in kernel.settable(case)}
    return Case(constants, filler.made, step, names)


@dataclass
class _Filler:
    """Fills one binding after another; `made` holds those that are done."""

    kernel: Kernel
    names: Names
    elem: str
    rng: np.random.Generator
    made: dict[str, Array] = field(default_factory=dict)

    def fill(self, binding: Binding) -> Array:
        shape = tuple(measure(dim, self.names) for dim in binding.shape)
        match binding.dtype:
            case "packed":
                return self._packed(FORMATS[self.kernel.fmt or ""], shape)
            case "scales":
                return self._scales(FORMATS[self.kernel.fmt or ""], shape)
            case "zeros":
                return self._zeros(FORMATS[self.kernel.fmt or ""], shape)
            case "sampling":
                return _sampling(self.names)
        default = "nan" if binding.access == "write" else "normal 1"
        kind, *arguments = self.kernel.fill.get(binding.name, default).split()
        values = self._values(kind, arguments, shape)
        if binding.dtype == "u32":
            return np.full(shape, CANARY) if kind == "nan" else values.astype(np.uint32)
        return values.astype(np.float16 if binding.dtype == "elem" and self.elem == "f16" else np.float32)

    def _values(self, kind: str, arguments: Sequence[str], shape: tuple[int, ...]) -> Array:
        match kind, *arguments:
            case "normal", deviation:
                return self.rng.normal(0.0, float(deviation), shape)
            case "uniform", low, high:
                return self.rng.uniform(float(low), float(high), shape)
            case "index", low, high:
                return self.rng.integers(measure(low, self.names), measure(high, self.names), shape)
            case "bounds", total:
                return self._bounds(measure(total, self.names), shape[0] - 1)
            case ("sequence_of",):
                return np.searchsorted(self.made["bounds"], np.arange(shape[0]), side="right") - 1
            case "routes", total:
                return self._chosen(shape, measure(total, self.names))
            case ("expert_pairs",):
                return np.argsort(self._routes(), kind="stable")
            case ("expert_bounds",):
                return np.searchsorted(np.sort(self._routes()), np.arange(shape[0]))
            case "rope", base:
                return _rope(float(base), shape)
            case "moves", chunk:
                return self._moves(shape, int(chunk))
            case "list", *numbers:
                return np.pad([measure(each, self.names) for each in numbers], (0, shape[0] - len(numbers)))
            case ("zero",) | ("nan",):
                return np.full(shape, 0.0 if kind == "zero" else np.nan)
        raise ValueError(f"fill {kind!r} {arguments}: use one of those at the top of reference/inputs.py")

    def _bounds(self, total: int, sequences: int) -> Array:
        cuts = np.sort(self.rng.choice(np.arange(1, total), sequences - 1, replace=False))
        return np.concatenate([[0], cuts, [total]])

    def _moves(self, shape: tuple[int, ...], chunk: int) -> Array:
        """Heads that forget at different speeds; a number in 16 is large, so that a chunk forgets in leaps too."""
        sizes = self.rng.uniform(0.0, 1.0, shape[:2])
        leaps = np.where(self.rng.uniform(0.0, 1.0, shape[:2]) < 1 / 16, 100.0, 1.0)
        lost = sizes * leaps * 2.0 ** self.rng.integers(-6, 2, shape[1])
        moves = np.empty(shape)
        for first in range(0, len(moves), chunk):
            part = slice(first, first + chunk)
            place = np.cumsum(lost[part], axis=0)
            weight = sizes[part] * np.exp(place - place[-1])
            moves[part] = np.stack([sizes[part], np.floor(place), place % 1, weight], axis=-1)
        return moves

    def _chosen(self, shape: tuple[int, ...], total: int) -> Array:
        """Pairs of any expert and the bits of its logit, which fall from slot to slot."""
        logits = -np.sort(self.rng.exponential(2.0, shape[:2]), axis=1).astype(np.float32)
        return np.stack([self.rng.integers(0, total, shape[:2]), logits.view(np.uint32)], axis=-1)

    def _routes(self) -> Array:
        """The expert of each pair, other ones for the slots of a token; none goes to the first where that can be."""
        tokens, slots, total = (int(self.names[name]) for name in ("tokens", "slots", "expert_total"))
        rng = np.random.default_rng(total)
        usable = np.arange(int(slots < total), total)
        return np.concatenate([rng.permutation(usable)[:slots] for _ in range(tokens)])

    def _packed(self, fmt: Format, shape: tuple[int, ...]) -> Array:
        stored = fmt.shape(shape[0], shape[1])
        if fmt.block:
            return self.rng.integers(0, 256, stored).astype(np.uint8)
        return self.rng.normal(0.0, 1.0, stored).astype(np.float16 if fmt.bits == 16 else np.float32)

    def _scales(self, fmt: Format, shape: tuple[int, ...]) -> Array:
        blocks = (shape[0], fmt.blocks(shape[1]))
        return (self.rng.uniform(0.5, 1.5, blocks) / fmt.zero_point).astype(np.float16)

    def _zeros(self, fmt: Format, shape: tuple[int, ...]) -> Array:
        row_bytes = fmt.zero_bytes(1, shape[1])
        return self.rng.integers(0, 256, (shape[0], row_bytes)).astype(np.uint8)


def _rope(base: float, shape: tuple[int, ...]) -> Array:
    angles = np.outer(np.arange(shape[0]), base ** (-np.arange(shape[1]) / shape[1]))
    return np.stack([np.cos(angles), np.sin(angles)], axis=-1)


def _sampling(names: Names) -> Array:
    floats = np.array([names["temperature"], names["top_p"]], np.float32).view(np.uint32)
    return np.concatenate([floats, np.array([names["top_k"], names["seed"]], np.uint32)])
