"""New templates out of two: one's beginning up to a slot, and what follows the same slot in another.

What stands before a value and after it is then seen in ever new pairs, so that no whole message can be learnt by
heart.
"""

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence

from exporter.reduction.extraction.language_files import Template

_TRIES = 8

# For the name of a slot, every template that has it, and where in its parts.
BySlot = Mapping[str, Sequence[tuple[Template, int]]]


def by_slot(templates: Sequence[Template]) -> BySlot:
    """Where each slot stands."""
    found: dict[str, list[tuple[Template, int]]] = defaultdict(list)
    for template in templates:
        for at in range(1, len(template.parts), 2):
            found[template.parts[at]].append((template, at))
    return found


def crossed(first: Template, others: BySlot, source: random.Random) -> Template:
    """`first` up to one of its slots, then as another goes on; `first` itself where both would name a field twice."""
    for _ in range(_TRIES):
        at = source.randrange(1, len(first.parts), 2)
        other, there = source.choice(others[first.parts[at]])
        before, after = first.fields[: at // 2 + 1], other.fields[there // 2 + 1 :]
        if not set(before) & set(after):
            return Template(
                first.kind,
                (*first.parts[:at], *other.parts[there:]),
                (*before, *after),
                first.held_out,
            )
    return first
