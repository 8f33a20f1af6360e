"""JSON as artifacts hold it: UTF-8 without insignificant white space, keys in the order given."""

import json
from typing import Any

from ..errors import ArtifactError

_WIDTH = 15


def aligned_json(value: Any) -> bytes:
    """As `compact_json`, with whole numbers padded, so that the length does not depend on their values.

    So a dry run, which cannot know what hashes compress to, still foretells the length.
    """
    if isinstance(value, dict):
        members = (compact_json(str(key)) + b":" + aligned_json(item) for key, item in value.items())
        return b"{" + b",".join(members) + b"}"
    if isinstance(value, list | tuple):
        return b"[" + b",".join(map(aligned_json, value)) + b"]"
    text = compact_json(value)
    return text.rjust(_WIDTH) if type(value) is int else text


def compact_json(value: Any) -> bytes:
    """The bytes of `value`; raises ArtifactError for what JSON cannot hold (NaN, lone surrogates, objects)."""
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return text.encode("utf-8")
    except (TypeError, ValueError, RecursionError) as problem:
        raise ArtifactError(f"Not representable as JSON: {problem}", "artifact") from None
