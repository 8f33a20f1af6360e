"""Values for the slots of a template: from a language's pools, or made; some are held out for tests."""

import random
import re
import zlib

from exporter.reduction.extraction.language_files import Language
from exporter.reduction.extraction.makers import Makers

# A value is held out for tests where its checksum says so.
_HELD_OUT_OF = 8
_FROM_POOL, _TRIES = 0.5, 1000
# Goods are goods, on an invoice or in an order; and names that nobody ever heard are copied by their context alone.
_SIBLINGS = {"item": "product", "product": "item"}
_OF_SIBLING, _BLENDED = 0.3, 0.2
_WORDS = {
    *("person", "service", "place", "item", "unit", "company", "position"),
    *("product", "color", "size", "delivery", "street", "city", "country"),
    *("origin", "destination", "carrier"),
}
_LETTERS = re.compile(r"[^\W\d_]{4,}")


def held_out(value: str) -> bool:
    """Whether training never sees this value."""
    return zlib.crc32(value.encode()) % _HELD_OUT_OF == 0


def blend(begin: str, end: str) -> str:
    """A word that nobody knows: it begins as one and ends as another."""
    return begin[: (len(begin) + 1) // 2] + end[len(end) // 2 :].lower()


class Values:
    """Draws values of one language: those that training sees, or, with `held`, those that it does not."""

    def __init__(self, language: Language, held: bool, source: random.Random) -> None:
        self._language, self._held, self._source = language, held, source
        self._makers = Makers(language, source)

    def draw(self, name: str) -> str:
        """A value for the slot `name`, which may say a form: `service.acc`."""
        field, dot, form = name.partition(".")
        value = self._drawn(name)
        if self._held:
            return value
        sibling = _SIBLINGS.get(field, "") + dot + form
        if sibling in self._language.pools and self._source.random() < _OF_SIBLING:
            value = self._drawn(sibling)
        return self._blended(value, name) if field in _WORDS and self._source.random() < _BLENDED else value

    def _blended(self, value: str, name: str) -> str:
        """The value with words that begin as its own and end as those of another."""
        ends: list[str] = _LETTERS.findall(self._drawn(name))
        return (
            _LETTERS.sub(lambda word: blend(word.group(), self._source.choice(ends)), value)
            if ends
            else value
        )

    def _drawn(self, name: str) -> str:
        """The first of many that is held out, or is not, as wanted; of a macro, what it came to counts."""
        pool, make = self._language.pools.get(name, ()), self._makers.by_field.get(name)
        for _ in range(_TRIES):
            if make is None or (pool and self._source.random() < _FROM_POOL):
                made = self._makers.expanded(self._source.choice(pool))
            else:
                made = make()
            if held_out(made) == self._held and made.strip() == made:
                return made
        raise ValueError(f"{self._language.code}: no value for {name} in {_TRIES} tries")
