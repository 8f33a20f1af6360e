"""Activations of a foreign graph on their way into ours: what they stand for, and how they lie.

A foreign graph spells one thing in many ways: reshapes into heads, transposes, biases after a split, activations taken
apart. So nothing is put into our graph when a node is read, but when its value is needed by one that computes.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import onnx_ir as ir

from exporter.components import ACTIVATIONS, GraphBuilder, activation, linear, scaled, split
from exporter.errors import GraphError
from exporter.ops import DOMAIN

Floats = np.ndarray

# Where named activations are told from one another.
_GRID = np.linspace(-9.0, 9.0, 721)


class Source(ABC):
    """Something that becomes a value (batch, tokens, width) of our graph when first asked."""

    width: int

    def __init__(self) -> None:
        self._made: ir.Value | None = None

    @property
    def is_made(self) -> bool:
        return self._made is not None

    def value(self) -> ir.Value:
        """The value; made on the first call."""
        if self._made is None:
            self._made = self._make()
        return self._made

    @abstractmethod
    def _make(self) -> ir.Value:
        """Put it into the graph."""


class Made(Source):
    """A value that is there."""

    def __init__(self, value: ir.Value, width: int) -> None:
        super().__init__()
        self._made, self.width = value, width

    def _make(self) -> ir.Value:
        return self.value()


class Embeddings(Source):
    """A sum of rows: of a table by id, of a table by position, and rows that are the same for every token."""

    def __init__(self, g: GraphBuilder, ids: ir.Value, positions: Callable[[], ir.Value]) -> None:
        super().__init__()
        self._g, self._ids, self._positions = g, ids, positions
        self.words: tuple[str, Floats] | None = None
        self.places: tuple[str, Floats] | None = None
        self.constant: Floats | None = None

    def plus(self, other: "Embeddings") -> "Embeddings":
        """The sum of both; raises GraphError if each has a table by id, or by position."""
        both = Embeddings(self._g, self._ids, self._positions)
        for key in ("words", "places"):
            mine, theirs = getattr(self, key), getattr(other, key)
            if mine is not None and theirs is not None:
                raise GraphError(f"two tables of {key} are added", mine[0], "There is no kernel for it.")
            setattr(both, key, mine if mine is not None else theirs)
        rows = [row for row in (self.constant, other.constant) if row is not None]
        both.constant = np.sum(rows, axis=0) if rows else None
        both.width = self.width
        return both

    def _make(self) -> ir.Value:
        if self.words is None:
            raise GraphError(
                "embeddings without a table of tokens", "the first nodes", "This is no language model."
            )
        extra = 0.0 if self.constant is None else self.constant
        if self.places is None:
            return self._rows("words", self.words, extra, self._ids)
        x = self._rows("words", self.words, 0.0, self._ids)
        return self._g.op("Add", x, self._rows("positions", self.places, extra, self._positions()))

    def _rows(
        self, label: str, table: tuple[str, Floats], extra: Floats | float, index: ir.Value
    ) -> ir.Value:
        name, rows = table
        key = name if np.ndim(extra) == 0 else f"{name}+{label}"
        weight = self._g.derived_rows(
            key, rows.shape, lambda start, stop: rows[start:stop] + np.float32(extra)
        )
        return self._g.op("Gather", weight, index, axis=0)


class Linear(Source):
    """x @ weight.T + bias; the bias may come node by node, part by part, until the value is asked for."""

    def __init__(
        self, g: GraphBuilder, x: Source, name: str, weight: Callable[[int, int], Floats], rows: int
    ) -> None:
        super().__init__()
        self.g, self._x, self._name, self._weight, self.width = g, x, name, weight, rows
        self._bias: Floats | None = None
        self._pieces: Sequence[ir.Value] | None = None
        self.widths: Sequence[int] = ()

    def add_bias(self, bias: Floats, start: int = 0) -> None:
        """Add `bias` to the outputs from `start` on; raises GraphError once the value is in use without it."""
        if self.is_made:
            raise GraphError("a bias is added to a value that is used without it", self._name, "")
        if self._bias is None:
            self._bias = np.zeros(self.width, np.float32)
        self._bias[start : start + bias.size] += bias.reshape(-1)

    def _make(self) -> ir.Value:
        inner = self._x.width
        weight = self.g.derived_rows(self._name, (self.width, inner), self._weight)
        bias = None
        if self._bias is not None:
            stored = self._bias
            bias = self.g.derived(f"{self._name}.bias", stored.shape, lambda: stored)
        return linear(self.g, self._x.value(), weight, bias)

    def piece(self, index: int) -> ir.Value:
        """Part `index` of the output, cut at `widths`."""
        if self._pieces is None:
            self._pieces = split(self.g, self.value(), self.widths)
        return self._pieces[index]


class Part(Source):
    """One of the parts that a linear's output is cut into."""

    def __init__(self, whole: Linear, index: int) -> None:
        super().__init__()
        self.whole, self.index, self.width = whole, index, whole.widths[index]

    @property
    def start(self) -> int:
        return sum(self.whole.widths[: self.index])

    def _make(self) -> ir.Value:
        return self.whole.piece(self.index)


class Function(Source):
    """An elementwise function of one source, known by its values only: named when it is needed."""

    def __init__(self, g: GraphBuilder, base: Source, f: Callable[[Floats], Floats], where: str) -> None:
        super().__init__()
        self.g, self.base, self.f, self._where, self.width = g, base, f, where, base.width

    @property
    def name(self) -> str | None:
        """The activation that this is, as transformers calls it; None if it is none that is known."""
        values = self.f(_GRID)
        return next((name for name, known in _KNOWN.items() if np.abs(values - known).max() < 1e-5), None)

    def _make(self) -> ir.Value:
        with np.errstate(all="ignore"):
            factor = float(self.f(np.ones(1))[0])
            if np.allclose(self.f(_GRID), factor * _GRID, rtol=1e-6, atol=1e-6):
                return scaled(self.g, self.base.value(), factor)
            name = self.name
        if name is None:
            raise GraphError(
                "an elementwise function that is no activation with a kernel", self._where, _ONES_THERE_ARE
            )
        return activation(self.g, self.base.value(), name)


def _known() -> dict[str, Floats]:
    from math import erf, sqrt

    x = _GRID
    tanh_gelu = 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    return {
        "gelu": 0.5 * x * (1 + np.array([erf(v / sqrt(2)) for v in x])),
        "gelu_new": tanh_gelu,
        "relu": np.maximum(x, 0),
        "silu": x / (1 + np.exp(-x)),
        "tanh": np.tanh(x),
    }


_KNOWN = _known()
_ONES_THERE_ARE = f"Kernels: {', '.join(name for name in _KNOWN if name in ACTIVATIONS)}."


def product(g: GraphBuilder, a: Source, b: Source) -> Source:
    """a * b: a gate where both come from the two halves of one linear."""
    for gate, up in ((a, b), (b, a)):
        if isinstance(gate, Function) and gate.name in ("silu", "gelu_new") and _halves(gate.base, up):
            operator = "SiluGate" if gate.name == "silu" else "GeluGate"
            whole = gate.base.whole  # type: ignore[attr-defined]
            return Made(g.op(operator, whole.value(), domain=DOMAIN), up.width)
    return Made(g.op("Mul", a.value(), b.value(), name="gate"), a.width)


def _halves(first: Source, second: Source) -> bool:
    return (
        isinstance(first, Part)
        and isinstance(second, Part)
        and first.whole is second.whole
        and len(first.whole.widths) == 2
        and (first.index, second.index) == (0, 1)
        and first.width == second.width
    )


@dataclass(frozen=True)
class Stream:
    """An activation of the foreign graph: what it is, and how the foreign tensor lies.

    `axes` has a letter an axis: b batch, t tokens (once `cache` is set, those before, too), w width, n batch * tokens,
    h heads, d values of a head, 1 and r the axes of repeated heads.
    """

    source: Source
    axes: str = "btw"
    heads: int = 1
    repeat: int = 1
    cache: str = ""
    turned: bool = False
    factor: float = 1.0

    def lies(self, axes: str, **more: object) -> "Stream":
        """The same values, lying otherwise."""
        return replace(self, axes=axes, **more)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Scores:
    """Products of queries and keys on their way to the softmax."""

    query: Stream
    key: Stream
    scale: float = 1.0
    normalized: bool = False
    where: str = field(default="")
