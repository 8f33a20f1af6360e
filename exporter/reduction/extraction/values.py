"""Values for the slots of a template: from a language's pools, or made; some are held out for tests."""

import random
import re
import unicodedata
import zlib

from exporter.reduction.extraction.language_files import Language
from exporter.reduction.extraction.makers import Makers

# A value is held out for tests where its checksum says so.
_HELD_OUT_OF = 8
_FROM_POOL, _TRIES = 0.5, 1000
# Goods are goods, on an invoice or in an order; and names that nobody ever heard are copied by their context alone.
_SIBLINGS = {"item": "product", "product": "item"}
_OF_SIBLING, _BLENDED, _MARKED, _OF_LETTERS = 0.3, 0.2, 0.06, 0.2
# Few words say these, and whoever reads the language knows them: none is held out.
CLOSED = {"date", "time", "quantity", "unit", "vat", "color", "size", "country", "delivery"}
# What an unknown word may stand for: of unknown units, colours and sizes side by side nobody could tell which is which.
_WORDS = {
    *("person", "service", "place", "item", "company", "position", "product", "street", "city"),
    *("origin", "destination", "carrier"),
}
_LETTERS = re.compile(r"[^\W\d_]{4,}")
# Grave, acute, circumflex, tilde, macron, breve, dot, diaeresis, ring, caron, comma below, cedilla, ogonek.
_MARKS = tuple(map(chr, (*range(0x300, 0x305), *range(0x306, 0x309), 0x30A, 0x30C, 0x326, 0x327, 0x328)))


def held_out(value: str) -> bool:
    """Whether training never sees this value, if its field is an open one."""
    return zlib.crc32(value.encode()) % _HELD_OUT_OF == 0


def blend(begin: str, end: str) -> str:
    """A word that nobody knows: it begins as one and ends as another."""
    return begin[: (len(begin) + 1) // 2] + end[len(end) // 2 :].lower()


def marked(text: str, source: random.Random) -> str:
    """The text with marks on some of its letters, so that the bytes of all of Europe's letters are copied, too."""
    spelt = (
        unicodedata.normalize("NFC", letter + source.choice(_MARKS))
        if letter.isalpha() and source.random() < _OF_LETTERS
        else letter
        for letter in text
    )
    return "".join(new if len(new) == 1 else old for old, new in zip(text, spelt, strict=True))


class Values:
    """Draws values of one language: those that training sees, or, with `held`, those that it does not.

    Held out are names, goods, services, places and made numbers; dates, times, units, colours and the like are not.
    What training sees is besides, unless `plain`, now and then a word that nobody knows.
    """

    def __init__(self, language: Language, held: bool, source: random.Random, *, plain: bool = False) -> None:
        self._language, self._held, self._source = language, held, source
        self._plain = plain or held
        self._pools = language.pools if held else language.training_pools
        self._makers = Makers(language, source)

    def draw(self, name: str) -> str:
        """A value for the slot `name`, which may say a form: `service.acc`."""
        field, dot, form = name.partition(".")
        value = self._drawn(name)
        if self._plain:
            return value
        sibling = _SIBLINGS.get(field, "") + dot + form
        if sibling in self._pools and self._source.random() < _OF_SIBLING:
            value = self._drawn(sibling)
        if field in _WORDS and self._source.random() < _BLENDED:
            value = self._blended(value, name)
        return marked(value, self._source) if field in _WORDS and self._source.random() < _MARKED else value

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
        pool, make = self._pools.get(name, ()), self._makers.by_field.get(name)
        closed = name.partition(".")[0] in CLOSED
        for _ in range(_TRIES):
            if make is None or (pool and self._source.random() < _FROM_POOL):
                made = self._makers.expanded(self._source.choice(pool))
            else:
                made = make()
            if (closed or held_out(made) == self._held) and made.strip() == made:
                return made
        raise ValueError(f"{self._language.code}: no value for {name} in {_TRIES} tries")
