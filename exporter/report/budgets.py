"""Budgets of bytes: for the folder, for a first visit, and for a role of what a first visit fetches."""

import argparse
import difflib
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exporter.errors import BudgetError, CheckFailedError
from exporter.report.attribution import ROLES, Attribution, Piece
from exporter.report.measure import Report
from exporter.sizes import human, parse_budget_size, parse_size

TOTAL, FIRST_VISIT = "total", "first-visit"
KEYS = (TOTAL, FIRST_VISIT, *ROLES)
_PROJECT_FILE = "pyproject.toml"
_SETTINGS, _OURS = ("tool", "thistledown"), "budget"
_TABLE = "[tool.thistledown.budget]"
_NAMED = 3


@dataclass(frozen=True)
class Budget:
    """At most `bytes` for `key`, which is one of KEYS."""

    key: str
    bytes: int


def parse_budget(text: str) -> Budget:
    """A budget from "30MB", which is for a first visit, or "embedding=12MB".

    Raises argparse.ArgumentTypeError that says what is understood.
    """
    key, found, size = text.rpartition("=")
    key = key.strip() if found else FIRST_VISIT
    if key not in KEYS:
        raise argparse.ArgumentTypeError(_unknown(key))
    return Budget(key, parse_budget_size(size) if key in (TOTAL, FIRST_VISIT) else parse_size(size))


def _unknown(key: str) -> str:
    near = difflib.get_close_matches(key, KEYS, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(KEYS)}"
    return f"there is no budget for {key[:40]!r}; {hint}"


def project_budgets(start: Path) -> Sequence[Budget]:
    """The budgets in the nearest pyproject.toml, of the folder `start` or one above it; none without such a file.

    Raises BudgetError naming the key that is wrong.
    """
    for folder in (start, *start.parents):
        if (folder / _PROJECT_FILE).is_file():
            return _read(folder / _PROJECT_FILE)
    return []


def _read(path: Path) -> Sequence[Budget]:
    try:
        table: Any = tomllib.loads(path.read_text(encoding="utf-8"))
    except RecursionError:
        raise BudgetError(f"{_PROJECT_FILE} is nested too deeply", str(path), "Mend it.") from None
    except (ValueError, OSError) as problem:
        raise BudgetError(f"{_PROJECT_FILE} cannot be read: {problem}", str(path), "Mend it.") from None
    for depth, key in enumerate(_SETTINGS):
        table = _table(table.get(key, {}), ".".join(_SETTINGS[: depth + 1]), path)
    # A misspelt table would be a budget that nobody keeps.
    if other := next((key for key in table if key != _OURS), None):
        raise BudgetError(f"[tool.thistledown] has no {other[:40]!r}", str(path), f"Write {_TABLE}.")
    budgets = _table(table.get(_OURS, {}), f"tool.thistledown.{_OURS}", path)
    return [_entry(key, value, path) for key, value in budgets.items()]


def _table(value: Any, name: str, path: Path) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    raise BudgetError(f"[{name}] is no table", str(path), f'Under {_TABLE}, write first-visit = "30MB".')


def _entry(key: str, value: Any, path: Path) -> Budget:
    try:
        if type(value) is not int and not isinstance(value, str):
            raise argparse.ArgumentTypeError(f"{value!r} is no size: write a string such as 30MB, or bytes")
        return parse_budget(f"{key}={value}")
    except (
        argparse.ArgumentTypeError,
        ValueError,
    ) as problem:  # a number may have too many digits to be shown
        raise BudgetError(f"{_TABLE} {key}: {problem}", str(path), "Mend that line.") from None


def joined(of_project: Sequence[Budget], given: Sequence[Budget]) -> Sequence[Budget]:
    """Those of the project, but for keys that were given for this run."""
    budgets = {budget.key: budget for budget in (*of_project, *given)}
    return list(budgets.values())


def require_export_budget(report: Report, budget: int | None) -> None:
    """Raises CheckFailedError where a first visit costs more than `budget` bytes; the export is then not kept."""
    if budget is not None and report.first_visit > budget:
        raise CheckFailedError(
            f"a first visit downloads {human(report.first_visit)}, the budget is {human(budget)}",
            "--budget",
            "Nothing was written. Use a smaller --quantize, or raise the budget.",
        )


def require_budgets(attribution: Attribution, budgets: Sequence[Budget], where: str) -> None:
    """Raises CheckFailedError that names each passed budget and the largest contributors to it."""
    passed = [line for budget in budgets if (line := _passed(attribution, budget))]
    if passed:
        raise CheckFailedError(
            "; ".join(passed), where, "Export with a smaller --quantize, or raise the budget."
        )


def kept_budgets(attribution: Attribution, budgets: Sequence[Budget]) -> Sequence[str]:
    """A line for each budget that is kept: how much of it is left."""
    spent = {budget.key: _spent(attribution, budget.key)[0] for budget in budgets}
    return [
        f"budget kept: {_SPEND[key]} {spent[key]:,} of {most:,} bytes, {most - spent[key]:,} left"
        for key, most in ((budget.key, budget.bytes) for budget in budgets)
        if spent[key] <= most
    ]


def _passed(attribution: Attribution, budget: Budget) -> str:
    spent, parts = _spent(attribution, budget.key)
    if spent <= budget.bytes:
        return ""
    return f"{_SPEND[budget.key]} {spent:,} bytes, the budget is {budget.bytes:,}; largest: {_largest(parts)}"


def _spent(attribution: Attribution, key: str) -> tuple[int, Mapping[str, int]]:
    """The bytes that a budget for `key` is of, and what they are made up of."""
    if key == TOTAL:
        return attribution.folder_bytes, _shares(attribution, lambda p: 0 if p.of_site else p.bytes)
    if key == FIRST_VISIT:
        parts = _shares(attribution, lambda piece: piece.travels)
        return sum(parts.values()), parts
    pieces = [piece for piece in attribution.pieces if piece.role == key]
    parts = {f"{piece.name} {piece.part}".strip(): piece.travels for piece in pieces}
    return sum(piece.travels for piece in pieces), parts


_SPEND = {
    **{role: f"{role}: a first visit downloads" for role in ROLES},
    TOTAL: "the folder has",
    FIRST_VISIT: "a first visit downloads",
}


def _shares(attribution: Attribution, size: Callable[[Piece], int]) -> Mapping[str, int]:
    sums = dict.fromkeys(ROLES, 0)
    for piece in attribution.pieces:
        sums[piece.role] += size(piece)
    return sums


def _largest(parts: Mapping[str, int]) -> str:
    largest = sorted(parts.items(), key=lambda part: -part[1])[:_NAMED]
    return ", ".join(f"{name} {size:,}" for name, size in largest if size)
