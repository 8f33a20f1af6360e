"""Preconditions and ranges (RFC 9110, 13 and 14): If-None-Match, If-Range, Range."""

import re

_ENTITY_TAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')
_SINGLE_RANGE = re.compile(r"bytes[ \t]*=[ \t]*([0-9]*)-([0-9]*)[ \t]*", re.IGNORECASE)
# Characters; no honest ones are longer, and reading very long ones costs the server.
_LONGEST_RANGE = 100
_LONGEST_TAGS = 8192


class UnsatisfiableRangeError(ValueError):
    """The range starts behind the end: answer 416."""


def already_has(if_none_match: str, etag: str) -> bool:
    """Whether the visitor's copy is the current one; a weak comparison, as RFC 9110 asks for here."""
    if len(if_none_match) > _LONGEST_TAGS:
        return False
    return if_none_match.strip() == "*" or etag in _ENTITY_TAG.findall(if_none_match)


def wanted_range(range_header: str | None, if_range: str | None, etag: str, length: int) -> range | None:
    """The byte positions to send of `length` bytes; None for all of them.

    All are sent when no range is asked for, when it is malformed or made of several, and when If-Range names
    another version (strong comparison; a date never matches). Raises UnsatisfiableRangeError.
    """
    if range_header is None or len(range_header) > _LONGEST_RANGE:
        return None
    if if_range is not None and if_range.strip() != etag:
        return None
    match = _SINGLE_RANGE.fullmatch(range_header)
    return None if match is None else _positions(match[1], match[2], length)


def _positions(first: str, last: str, length: int) -> range | None:
    if first and last and int(last) < int(first):
        return None
    if first:
        return _satisfiable(range(int(first), min(int(last or length), length - 1) + 1))
    return _satisfiable(range(max(0, length - int(last)), length)) if last else None


def _satisfiable(positions: range) -> range:
    if not positions:
        raise UnsatisfiableRangeError("no byte of the file is in the range")
    return positions
