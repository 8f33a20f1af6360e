"""Finds the mixture of schemes that meets a target: each weight is rounded alone, then bytes go where they help most.

Damage done by several weights at once is not the sum of what each does alone, so the whole mixture is measured, on
texts that the order was not made with.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from exporter.calibration.allocation import Option, after, steps
from exporter.calibration.damage import Yardstick
from exporter.calibration.float_graph import FloatGraph
from exporter.calibration.round_trip import bytes_in, rounded
from exporter.errors import CheckFailedError
from exporter.quantization import Recipe, TensorFacts
from exporter.sizes import human

CANDIDATES = ("q2z", "q4", "q4z", "q8", "f16")
_ROLES_WITH_ROWS = frozenset({"embedding", "tied", "position"})
_BLOCK = 32
# Texts that each weight's rounding is tried on, and that the whole mixture is measured on.
_TRIED, _MEASURED = 16, 64

Say = Callable[[str], None]


@dataclass(frozen=True)
class Target:
    """`damage`: the most that is allowed; `weight_bytes`: the most that weights may take. One of them is given."""

    damage: float | None = None
    weight_bytes: int | None = None


def find_mixture(
    graph: FloatGraph, texts: Sequence[Sequence[int]], target: Target, method: str, say: Say
) -> dict[str, Recipe]:
    """The recipes, with reasons, of the smallest mixture within `target.damage`, or the best in `weight_bytes`.

    Raises CheckFailedError if there is none.
    """
    options = _options(graph, Yardstick(graph, texts[0::2][:_TRIED]), method, say)
    whole = Yardstick(graph, texts[1::2][:_MEASURED])
    search = _Search(graph, options, whole, method)
    count = search.within_damage(target.damage) if target.damage is not None else search.within_bytes(target)
    chosen = after(options, count)
    size = sum(option.bytes for option in chosen.values())
    say(f"auto: {human(size)} of weights, {whole.unit} {search.damage(count):.3g} on {whole.texts} texts")
    return {
        name: Recipe(option.scheme, method, _reason(options[name], option, whole))
        for name, option in chosen.items()
    }


def _options(
    graph: FloatGraph, yardstick: Yardstick, method: str, say: Say
) -> Mapping[str, Sequence[Option]]:
    options = {}
    for index, fact in enumerate(graph.facts):
        say(f"auto: trying weight {index + 1} of {len(graph.facts)}")
        found = []
        for scheme in _schemes(fact):
            with rounded(graph, {fact.name: Recipe(scheme, method)}):
                found.append(Option(scheme, bytes_in(fact, scheme), yardstick.damage()))
        options[fact.name] = found
    return options


def _schemes(fact: TensorFacts) -> Sequence[str]:
    """What `fact` can be: rows that are gathered need whole blocks, and positions stay float16 (see `mixture`)."""
    uneven = fact.role in _ROLES_WITH_ROWS and fact.inner % _BLOCK
    return ("f16",) if uneven or fact.role == "position" else CANDIDATES


@dataclass(frozen=True)
class _Search:
    """Finds how many steps to take."""

    graph: FloatGraph
    options: Mapping[str, Sequence[Option]]
    whole: Yardstick
    method: str

    def damage(self, count: int) -> float:
        """What all weights together do after `count` steps."""
        chosen = after(self.options, count)
        recipes = {name: Recipe(option.scheme, self.method) for name, option in chosen.items()}
        with rounded(self.graph, recipes):
            return self.whole.damage()

    def within_damage(self, limit: float) -> int:
        """The fewest steps after which the damage measured is at most `limit`, by bisection."""
        low, high = 0, len(steps(self.options))
        least = self.damage(high)
        if not least <= limit:
            raise CheckFailedError(
                f"all weights in their best scheme give {self.whole.unit} {least:.3g}, the target is {limit:.3g}",
                "--target-kl",
                "Nothing was written. Allow more, or export with --quantize f16.",
            )
        while low < high:
            middle = (low + high) // 2
            if self.damage(middle) <= limit:
                high = middle
            else:
                low = middle + 1
        return high

    def within_bytes(self, target: Target) -> int:
        """The most steps with which the weights fit."""
        limit, sizes = target.weight_bytes or 0, self._sizes()
        if sizes[0] > limit:
            raise CheckFailedError(
                f"the smallest weights take {human(sizes[0])}, {human(max(limit, 0))} are left for them",
                "--budget",
                "Nothing was written. Raise the budget, or take a smaller model.",
            )
        return max(count for count, size in enumerate(sizes) if size <= limit)

    def _sizes(self) -> list[int]:
        count = len(steps(self.options)) + 1
        return [sum(option.bytes for option in after(self.options, taken).values()) for taken in range(count)]


def _reason(options: Sequence[Option], chosen: Option, yardstick: Yardstick) -> str:
    if len(options) == 1:
        return "the only scheme that fits it"
    unit = yardstick.unit
    smaller = [option for option in options if option.bytes < chosen.bytes]
    larger = [option for option in options if option.bytes > chosen.bytes and option.damage < chosen.damage]
    words = [f"alone it costs {unit} {chosen.damage:.2g}"]
    if smaller:
        words.append(f"{smaller[-1].scheme} {smaller[-1].damage:.2g}")
    if larger:
        more = human(larger[0].bytes - chosen.bytes)
        words.append(f"{larger[0].scheme} {larger[0].damage:.2g} for {more} more")
    return ", ".join(words)
