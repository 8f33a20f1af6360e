"""What `--to` asks for: a share of all parameters, or sizes of single dimensions, as numbers or ratios."""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from exporter.errors import ReductionError
from exporter.reduction.pruning.anatomy import PRUNABLE

_WHERE = "--to"
_RATIO = re.compile(r"(\d+(?:\.\d+)?)%|(\d*\.\d+)")
_NUMBER = re.compile(r"\d{1,9}")
_EXAMPLES = "Write hidden=192,mlp=50%,layers=6, or 50% for a share of all parameters."


@dataclass(frozen=True)
class Ratio:
    """A share above 0 and at most 1."""

    value: float


Amount = int | Ratio


@dataclass(frozen=True)
class Goals:
    """Either a `share` of all parameters, or `amounts` by dimension."""

    share: float | None = None
    amounts: Mapping[str, Amount] = field(default_factory=dict)


def parse_goals(text: str) -> Goals:
    """Raises ReductionError for what is neither."""
    if "=" not in text:
        amount = _amount(text.strip(), text)
        if not isinstance(amount, Ratio):
            raise ReductionError(f"{text!r} names no dimension", _WHERE, _EXAMPLES)
        return Goals(share=amount.value)
    amounts: dict[str, Amount] = {}
    for item in text.split(","):
        name, _, value = (part.strip() for part in item.partition("="))
        if name not in PRUNABLE:
            raise _unknown(name)
        if name in amounts:
            raise ReductionError(f"{name} is given twice", _WHERE, "Give it once.")
        amounts[name] = _amount(value, item)
    return Goals(amounts=amounts)


def _amount(value: str, item: str) -> Amount:
    if found := _RATIO.fullmatch(value):
        ratio = float(found[1]) / 100 if found[1] else float(found[2])
        if not 0 < ratio <= 1:
            raise ReductionError(f"{item!r} is no share", _WHERE, "A share is above 0% and at most 100%.")
        return Ratio(ratio)
    if not _NUMBER.fullmatch(value):
        raise ReductionError(f"{item!r} is not understood", _WHERE, _EXAMPLES)
    return int(value)


def _unknown(name: str) -> ReductionError:
    near = difflib.get_close_matches(name, PRUNABLE, n=1)
    hint = f"Did you mean {near[0]}? " if near else ""
    return ReductionError(f"{name!r} is no dimension", _WHERE, f"{hint}There are {', '.join(PRUNABLE)}.")
