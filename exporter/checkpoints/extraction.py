"""What a checkpoint that picks fields out of messages says of itself: `extraction` in its config.json."""

import re
from collections.abc import Mapping
from typing import Any

from ..errors import ConfigError

MOST_KINDS, MOST_FIELDS = 64, 64
NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_REMEDY = (
    'Give each kind of message the list of its fields: {"contact": ["person", "phone"]}, or leave it out.'
)


def stated_kinds(config: Mapping[str, Any]) -> Mapping[str, tuple[str, ...]] | None:
    """Kind of message to its fields, or None where the checkpoint is made for something else; raises ConfigError."""
    stated = config.get("extraction")
    if stated is None:
        return None
    if not isinstance(stated, dict) or not 0 < len(stated) <= MOST_KINDS:
        raise ConfigError("'extraction' is no object of kinds of messages", "config.json", _REMEDY)
    return {kind: _fields(kind, fields) for kind, fields in stated.items()}


def _fields(kind: str, fields: Any) -> tuple[str, ...]:
    if not isinstance(fields, list) or not 0 < len(fields) <= MOST_FIELDS:
        raise ConfigError(f"'extraction' has no fields for {kind!r}", "config.json", _REMEDY)
    unfit = next(
        (name for name in (kind, *fields) if not (isinstance(name, str) and NAME.fullmatch(name))), None
    )
    if unfit is not None or len(set(fields)) < len(fields):
        raise ConfigError(
            f"'extraction' names {unfit!r}, or a field of {kind!r} twice", "config.json", _REMEDY
        )
    return tuple(fields)
