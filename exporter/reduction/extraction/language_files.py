"""The files of one language: templates with slots, pools of values, sentences that say nothing, messages by hand."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from exporter.reduction.extraction.schema import ALL_KINDS

_ROOT = Path(__file__).parent / "language"
_SLOT = re.compile(r"\{([a-z_]+)((?:\.[a-z0-9_]+)?)\}")
_HELD_OUT = "! "


@dataclass(frozen=True)
class Template:
    """A message with slots: `parts` are texts and, at odd places, names of pools; `fields` are those of the slots."""

    kind: str
    parts: tuple[str, ...]
    fields: tuple[str, ...]
    held_out: bool


@dataclass(frozen=True)
class Written:
    """A message that somebody wrote, with the value of each field of its kind, None where it has none."""

    kind: str
    message: str
    values: Mapping[str, str | None]


@dataclass(frozen=True)
class Language:
    """All that is known of one language. Tests draw from `pools` alone: what is added later leaves them as they are."""

    code: str
    templates: Sequence[Template]
    pools: Mapping[str, Sequence[str]]
    training_pools: Mapping[str, Sequence[str]]
    patterns: Mapping[str, Sequence[str]]
    fillers: Sequence[str]
    written: Sequence[Written]


@cache
def language(code: str) -> Language:
    """The language of that code, of LANGUAGES."""
    folder = _ROOT / code
    lines = (folder / "templates.txt").read_text(encoding="utf-8").splitlines()
    fillers = (folder / "fillers.txt").read_text(encoding="utf-8").splitlines()
    pools, added = (_pools(folder / name) for name in ("values.json", "training_values.json"))
    rows = map(json.loads, (folder / "handwritten.jsonl").read_text(encoding="utf-8").splitlines())
    return Language(
        code,
        tuple(_templates(lines)),
        pools,
        {name: (*pools.get(name, ()), *added.get(name, ())) for name in pools | added},
        json.loads((folder / "patterns.json").read_text(encoding="utf-8")),
        tuple(line for line in fillers if line.strip()),
        tuple(Written(row["type"], row["message"], row["values"]) for row in rows),
    )


def _pools(file: Path) -> dict[str, Sequence[str]]:
    found: dict[str, Sequence[str]] = json.loads(file.read_text(encoding="utf-8"))
    return found


def _templates(lines: Sequence[str]) -> list[Template]:
    kind, found = "", []
    for line in lines:
        if line.startswith("[") and line.strip("[]") in ALL_KINDS:
            kind = line.strip("[]")
        elif line.strip() and not line.startswith("# "):
            found.append(_template(kind, line))
    return found


def _template(kind: str, line: str) -> Template:
    text = line.removeprefix(_HELD_OUT).replace("\\n", "\n")
    parts, fields, end = [], [], 0
    for slot in _SLOT.finditer(text):
        parts += [text[end : slot.start()], slot[1] + slot[2]]
        fields.append(slot[1])
        end = slot.end()
    return Template(kind, (*parts, text[end:]), tuple(fields), line.startswith(_HELD_OUT))
