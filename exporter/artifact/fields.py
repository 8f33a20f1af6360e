"""Takes checked values out of a JSON object from outside: each getter names the field it refuses."""

import re
from collections.abc import Callable, Collection
from typing import Any, TypeVar

from ..errors import ArtifactError

T = TypeVar("T")

# The largest whole number that JavaScript's numbers hold exactly.
LARGEST = 2**53 - 1
_LONGEST_TEXT = 4096
_SHA256 = re.compile(r"[0-9a-f]{64}")
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


class Fields:
    """The fields of one JSON object; `path` tells where it stands in `file`. Raises ArtifactError on anything unfit."""

    def __init__(self, value: Any, path: str, keys: Collection[str], file: str = "manifest.json") -> None:
        self._path = path
        self._file = file
        if not isinstance(value, dict):
            raise self.unfit("", "is no object")
        if missing := set(keys) - set(value):
            raise self.unfit(min(missing), "is missing")
        if unknown := set(value) - set(keys):
            raise self.unfit(min(unknown), "is unknown")
        self._value = value

    def text(self, key: str, pattern: re.Pattern[str] | None = None) -> str:
        """A string of printable characters that matches `pattern` wholly."""
        value = self._value[key]
        if not isinstance(value, str) or len(value) > _LONGEST_TEXT or not value.isprintable():
            raise self.unfit(key, "is no plain text")
        if pattern is not None and not pattern.fullmatch(value):
            raise self.unfit(key, f'is "{value}", which does not match {pattern.pattern}')
        return value

    def template(self, key: str) -> str:
        """Any string, line ends included."""
        value = self._value[key]
        if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
            raise self.unfit(key, "is no text")
        return value

    def one_of(self, key: str, choices: Collection[str]) -> Any:
        """A string among `choices`."""
        value = self._value[key]
        if not isinstance(value, str) or value not in choices:
            raise self.unfit(key, f"is none of {', '.join(choices)}")
        return value

    def flag(self, key: str) -> bool:
        """True or false."""
        value = self._value[key]
        if not isinstance(value, bool):
            raise self.unfit(key, "is neither true nor false")
        return value

    def whole(self, key: str, least: int = 0, most: int = LARGEST) -> int:
        """A whole number from `least` to `most`."""
        return self._whole(self._value[key], key, least, most)

    def number(self, key: str, least: float, most: float) -> float:
        """A finite number from `least` to `most`."""
        return self._number(self._value[key], key, least, most)

    def numbers(self, key: str, least: float, most: float) -> tuple[float, ...]:
        """A list of finite numbers from `least` to `most`."""
        return tuple(self._number(item, key, least, most) for item in self.items(key))

    def optional(self, key: str, get: Callable[[str], T]) -> T | None:
        """None if the field is null, else what `get` makes of it."""
        return None if self._value[key] is None else get(key)

    def file(self, key: str) -> str:
        """A plain file name: no folders, no leading dot."""
        return self.text(key, _FILE)

    def sha256(self, key: str) -> str:
        """64 lower-case hexadecimal digits."""
        return self.text(key, _SHA256)

    def hashes(self, key: str) -> tuple[str, ...]:
        """A list of SHA-256."""
        return self.texts(key, _SHA256)

    def texts(self, key: str, pattern: re.Pattern[str]) -> tuple[str, ...]:
        """A list of strings that match `pattern`."""
        items = self.items(key)
        if not all(isinstance(item, str) and pattern.fullmatch(item) for item in items):
            raise self.unfit(key, f"is not a list of texts that match {pattern.pattern}")
        return tuple(items)

    def wholes(self, key: str) -> tuple[int, ...]:
        """A list of whole numbers."""
        return tuple(self._whole(item, key, 0, LARGEST) for item in self.items(key))

    def sizes(self, key: str) -> dict[str, int]:
        """An object of whole numbers."""
        return {
            name: self._whole(item, f"{key}.{name}", 0, LARGEST) for name, item in self.pairs(key).items()
        }

    def items(self, key: str) -> list[Any]:
        """A list of anything."""
        value = self._value[key]
        if not isinstance(value, list):
            raise self.unfit(key, "is no list")
        return value

    def pairs(self, key: str) -> dict[str, Any]:
        """An object of anything."""
        value = self._value[key]
        if not isinstance(value, dict):
            raise self.unfit(key, "is no object")
        return value

    def _whole(self, value: Any, key: str, least: int, most: int) -> int:
        if type(value) is not int or not least <= value <= most:
            raise self.unfit(key, f"is no whole number from {least} to {most}")
        return value

    def _number(self, value: Any, key: str, least: float, most: float) -> float:
        # Compared before anything is converted: a whole number may be too large for a float.
        if type(value) not in (int, float) or not least <= value <= most:
            raise self.unfit(key, f"is no number from {least:g} to {most:g}")
        number: float = value
        return number

    def unfit(self, key: str, problem: str) -> ArtifactError:
        """The error that says what is wrong with a field; `key` is empty for the object itself."""
        place = ".".join(part for part in (self._path, key) if part)
        return ArtifactError(f"{place or 'The document'} {problem}", self._file, "Export the model again.")
