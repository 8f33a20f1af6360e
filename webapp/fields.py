"""Reads values out of JSON that is hostile until checked: right type, sane length."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NoReturn, TypeVar

LARGEST_INTEGER = 2**53 - 1  # exact in JavaScript too
LONGEST_TEXT = 1000
LONGEST_LIST = 65536

T = TypeVar("T")

_HALF_PAIR = re.compile("[\ud800-\udfff]")  # JSON can spell half of a surrogate pair, UTF-8 cannot carry it


class FieldError(ValueError):
    """A value is missing or not of the kind that the format asks for; the message says where."""


def parse_object(data: bytes) -> "Fields":
    """The JSON object in `data`. Raises FieldError for anything else, NaN and endless nesting included."""
    try:
        return Fields(json.loads(data.decode("utf-8"), parse_constant=_refuse_constant), "")
    except (ValueError, RecursionError) as error:
        raise FieldError(f"no JSON object: {error}") from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


class Fields:
    """The values of one JSON object; `place` is its path, for messages."""

    def __init__(self, values: Any, place: str) -> None:
        if not isinstance(values, dict):
            raise FieldError(f"{place or 'the document'} is not an object")
        self._values = values
        self._place = place

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def text(self, key: str) -> str:
        return _text(self._get(key), self._path(key))

    def text_or_none(self, key: str) -> str | None:
        return self._or_none(key, self.text)

    def count(self, key: str) -> int:
        return _count(self._get(key), self._path(key))

    def count_or_none(self, key: str) -> int | None:
        return self._or_none(key, self.count)

    def texts(self, key: str) -> list[str]:
        return [_text(item, self._path(key)) for item in self._list(key)]

    def texts_or_none(self, key: str) -> list[str] | None:
        """None where the value is null or absent."""
        return None if self._values.get(key) is None else self.texts(key)

    def lists_or_none(self, key: str) -> dict[str, list[str]] | None:
        """An object of lists of texts; None where the value is null or absent."""
        if self._values.get(key) is None:
            return None
        inner = self.object(key)
        return {_text(name, self._path(key)): inner.texts(name) for name in inner}

    def counts(self, key: str) -> dict[str, int]:
        """An object of integers, such as memory and limits."""
        inner = self.object(key)
        return {_text(name, self._path(key)): inner.count(name) for name in inner}

    def object(self, key: str) -> "Fields":
        return Fields(self._get(key), self._path(key))

    def objects(self, key: str) -> list["Fields"]:
        return [Fields(item, f"{self._path(key)}[{i}]") for i, item in enumerate(self._list(key))]

    def objects_or_nones(self, key: str) -> list["Fields | None"]:
        """A list of objects and nulls; an empty one where the value is null or absent."""
        items = [] if self._values.get(key) is None else self._list(key)
        return [
            None if item is None else Fields(item, f"{self._path(key)}[{i}]") for i, item in enumerate(items)
        ]

    def _list(self, key: str) -> list[Any]:
        value = self._get(key)
        if not isinstance(value, list) or len(value) > LONGEST_LIST:
            raise FieldError(f"{self._path(key)} is not a list of at most {LONGEST_LIST}")
        return value

    def _or_none(self, key: str, read: Callable[[str], T]) -> T | None:
        return None if self._get(key) is None else read(key)

    def _get(self, key: str) -> Any:
        if key not in self._values:
            raise FieldError(f"{self._path(key)} is missing")
        return self._values[key]

    def _path(self, key: str) -> str:
        return f"{self._place}.{key}" if self._place else key


def _text(value: Any, place: str) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_TEXT or _HALF_PAIR.search(value):
        raise FieldError(f"{place} is not a text of at most {LONGEST_TEXT} characters")
    return value


def _count(value: Any, place: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= LARGEST_INTEGER:
        raise FieldError(f"{place} is not an integer from 0 to 2^53 - 1")
    return value
