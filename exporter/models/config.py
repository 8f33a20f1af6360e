"""Typed, checked reading of a checkpoint's config.json."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from exporter.errors import ConfigError

LARGEST = float(np.finfo(np.float32).max)


def _fits_float32(value: float) -> bool:
    return abs(value) <= LARGEST


class Config:
    """A config.json under inspection: every accessor names the key when it is absent or wrong."""

    def __init__(self, values: Mapping[str, Any], where: str = "config.json") -> None:
        self._values = values
        self.where = where

    def _get(self, key: str, default: Any) -> Any:
        value = self._values.get(key)
        if value is not None:
            return value
        if default is None:
            raise ConfigError(
                f"config.json has no '{key}'", self.where, "add the key or use a complete checkpoint"
            )
        return default

    def bad(self, key: str, wanted: str) -> ConfigError:
        """The error for a key whose value cannot be used."""
        found = self._values.get(key)
        return ConfigError(f"'{key}' is {found!r}, not {wanted}", self.where, "correct config.json")

    def has(self, key: str) -> bool:
        return self._values.get(key) is not None

    def is_auto(self, key: str) -> bool:
        """Whether the value is left to be derived: absent or the word 'auto'."""
        return self._values.get(key) in (None, "auto")

    def integer(self, key: str, default: int | None = None, *, low: int = 1, high: int = 1 << 24) -> int:
        """A whole number in [low, high]."""
        value = self._get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self.bad(key, f"a whole number from {low} to {high}")
        return value

    def number(self, key: str, default: float | None = None) -> float:
        """A finite number."""
        value = self._get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not _fits_float32(value):
            raise self.bad(key, "a number that float32 can hold")
        return float(value)

    def positive(self, key: str, default: float | None = None) -> float:
        """A number above zero whose inverse is finite, too."""
        value = self.number(key, default)
        if value <= 0 or not _fits_float32(1 / value):
            raise self.bad(key, "a positive number")
        return value

    def flag(self, key: str, default: bool) -> bool:
        """True or false; null counts as false, as in transformers."""
        value = self._values.get(key, default)
        value = False if value is None else value
        if not isinstance(value, bool):
            raise self.bad(key, "true or false")
        return value

    def choice(self, key: str, allowed: Sequence[str], default: str) -> str:
        """One of a few words."""
        value = self._get(key, default)
        if value not in allowed:
            raise self.bad(key, "one of " + ", ".join(allowed))
        return str(value)

    def integer_or_null(self, key: str, default: int | None) -> int | None:
        """A whole number above zero, or None if it is null; `default` if the key is absent."""
        if key not in self._values:
            return default
        return self.integer(key) if self.has(key) else None

    def number_or_null(self, key: str, default: float | None) -> float | None:
        """A positive number, or None if it is null; `default` if the key is absent."""
        if key not in self._values:
            return default
        return self.positive(key) if self.has(key) else None

    def section(self, *keys: str) -> "Config":
        """The first of the objects under `keys` that is there and not empty; an empty one if there is none."""
        key = next((key for key in keys if self._values.get(key)), None)
        if key is None:
            return Config({}, self.where)
        if not isinstance(self._values[key], Mapping):
            raise self.bad(key, "an object")
        return Config(self._values[key], f"{key} in {self.where}")

    def text(self, key: str, default: str) -> str:
        """Any string."""
        value = self._get(key, default)
        if not isinstance(value, str):
            raise self.bad(key, "a word")
        return value

    def sections(self) -> list[str]:
        """The keys that hold objects."""
        return [key for key, value in self._values.items() if isinstance(value, Mapping)]

    def words(self, key: str, count: int, default: Sequence[str]) -> Sequence[str]:
        """A list of `count` strings."""
        value = self._get(key, default)
        if (
            not isinstance(value, Sequence)
            or len(value) != count
            or not all(isinstance(v, str) for v in value)
        ):
            raise self.bad(key, f"a list of {count} words")
        return list(value)

    def integers(self, key: str, default: Sequence[int]) -> Sequence[int]:
        """A list of whole numbers from 0 on."""
        value = self._get(key, default)
        if not isinstance(value, list | tuple) or not all(type(v) is int and v >= 0 for v in value):
            raise self.bad(key, "a list of whole numbers")
        return list(value)

    def limits(self, key: str, default: tuple[float, float]) -> tuple[float, float]:
        """A pair (low, high); high may be infinite."""
        value = self._values.get(key) or default
        numbers = [v for v in value if type(v) in (int, float)] if isinstance(value, list | tuple) else []
        if (
            len(numbers) != 2
            or len(value) != 2
            or not abs(numbers[0]) <= LARGEST
            or not numbers[0] <= numbers[1]
        ):
            raise self.bad(key, "a pair of numbers, the smaller first")
        return float(numbers[0]), float(numbers[1]) if numbers[1] <= LARGEST else math.inf
