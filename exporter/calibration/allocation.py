"""Which weights to give more bits first: where a byte takes away the most damage."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class Option:
    """A weight in `scheme`: it takes `bytes`, and alone it does `damage` to the model's outputs."""

    scheme: str
    bytes: int
    damage: float


@dataclass(frozen=True)
class Step:
    """One weight gets more bits; `worth` is the damage a byte takes away."""

    name: str
    option: Option
    worth: float


def cheapest(options: Mapping[str, Sequence[Option]]) -> dict[str, Option]:
    """Each weight in the fewest bytes."""
    return {name: _worthwhile(found)[0] for name, found in options.items()}


def steps(options: Mapping[str, Sequence[Option]]) -> list[Step]:
    """All steps from `cheapest` on that are worth their bytes, the most worth first; any number of them may be taken.

    Options of a weight that two others together are better than are left out (the lower convex hull), so the steps of
    one weight come in order.
    """
    found = [
        Step(name, after, _worth(before, after))
        for name, choices in options.items()
        for before, after in _pairs(_worthwhile(choices))
    ]
    return sorted(found, key=lambda step: -step.worth)


def after(options: Mapping[str, Sequence[Option]], count: int) -> dict[str, Option]:
    """What each weight is after the first `count` of `steps`."""
    chosen = cheapest(options)
    for step in steps(options)[:count]:
        chosen[step.name] = step.option
    return chosen


def _pairs(options: Sequence[Option]) -> list[tuple[Option, Option]]:
    return list(pairwise(options))


def _worthwhile(options: Sequence[Option]) -> list[Option]:
    hull: list[Option] = []
    for option in sorted(options, key=lambda o: (o.bytes, o.damage)):
        if hull and option.damage >= hull[-1].damage:
            continue
        while len(hull) > 1 and _worth(hull[-1], option) >= _worth(hull[-2], hull[-1]):
            hull.pop()
        hull.append(option)
    return hull


def _worth(before: Option, after: Option) -> float:
    return (before.damage - after.damage) / max(after.bytes - before.bytes, 1)
