"""Values for the slots of a template: from a language's pools, from faker's locales, or made of digits."""

import random
import re
import zlib
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING

from exporter.reduction.extraction.language_files import Language

if TYPE_CHECKING:
    from faker import Faker

_LOCALES = {"en": ("en_GB", "en_US"), "uk": ("uk_UA",), "pl": ("pl_PL",), "ru": ("ru_RU",)}
_MACRO = re.compile(r"<([^<>]*)>")
# A value of a pool is held out for tests where its checksum says so.
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
        pool = _allowed(self._language, name, self._held)
        maker = _MAKERS.get(name)
        if maker is None or (pool and self._source.random() < _FROM_POOL):
            return self._expanded(self._source.choice(pool))
        for _ in range(_TRIES):
            made = maker(self)
            if held_out(made) == self._held and made.strip() == made:
                return made
        raise ValueError(f"{self._language.code}: no value for {name} in {_TRIES} tries")

    def _expanded(self, text: str) -> str:
        """The text with its macros played out: <1-28> is a number, <a|b> one of the words."""
        return _MACRO.sub(lambda found: self._macro(found[1]), text)

    def _macro(self, body: str) -> str:
        if "|" in body:
            return self._source.choice(body.split("|"))
        low, high = body.split("-")
        number = self._source.randint(int(low), int(high))
        return str(number).zfill(len(low)) if low.startswith("0") else str(number)

    def faker(self) -> "Faker":
        """faker of one of the language's locales, seeded from our own source."""
        made = _faker(self._source.choice(_LOCALES[self._language.code]))
        made.seed_instance(self._source.getrandbits(64))
        return made

    def person(self) -> str:
        made, how = self.faker(), self._source.random()
        first, last = made.first_name(), made.last_name()
        if how < 0.25:
            return first
        if how < 0.35:
            return last
        return f"{last} {first}" if how > 0.9 else f"{first} {last}"

    def phone(self) -> str:
        return self.faker().phone_number() if self._source.random() < 0.5 else self.pattern("phone")

    def email(self) -> str:
        return self.faker().email()

    def website(self) -> str:
        made = self.faker()
        return self._source.choice((made.domain_name(), f"www.{made.domain_name()}", made.url().rstrip("/")))

    def company(self) -> str:
        return self.faker().company()

    def position(self) -> str:
        return self.faker().job()

    def street(self) -> str:
        return self.faker().street_name()

    def city(self) -> str:
        made = self.faker()
        return made.city_name() if hasattr(made, "city_name") else made.city()

    def country(self) -> str:
        return self.faker().country()

    def postcode(self) -> str:
        return self.faker().postcode()

    def amount(self) -> str:
        """A sum of money as it is written in the language."""
        whole = self._source.choice((9, 99, 999, 9999, 99999))
        number = str(self._source.randint(1, whole))
        if len(number) > 3 and self._source.random() < 0.5:
            number = number[:-3] + self._source.choice((" ", ",", " ")) + number[-3:]
        if self._source.random() < 0.5:
            point = "." if self._language.code == "en" else self._source.choice((",", ",", "."))
            number += f"{point}{self._source.randint(0, 99):02d}"
        return self._source.choice(self._language.patterns["amount"]).replace("<n>", number)

    def pattern(self, name: str) -> str:
        """A value of digits and letters, as the language writes it."""
        return self._expanded(self._source.choice(self._language.patterns[name]))


_MAKERS: dict[str, Callable[[Values], str]] = {
    "person": Values.person,
    "phone": Values.phone,
    "email": Values.email,
    "company": Values.company,
    "website": Values.website,
    "street": Values.street,
    "house": lambda values: values.pattern("house"),
    "apartment": lambda values: values.pattern("apartment"),
    "postcode": Values.postcode,
    "city": Values.city,
    "country": Values.country,
    "position": Values.position,
    "unit_price": Values.amount,
    "total": Values.amount,
    "order_number": lambda values: values.pattern("order_number"),
    "time": lambda values: values.pattern("time"),
    "date": lambda values: values.pattern("date"),
}


@cache
def _faker(locale: str) -> "Faker":
    from faker import Faker

    return Faker(locale)


def _allowed(language: Language, name: str, held: bool) -> Sequence[str]:
    """The entries of a pool that may be drawn; a small pool keeps all in both where none is left."""
    return _pool(language.code, name, held, tuple(language.pools.get(name, ())))


@cache
def _pool(code: str, name: str, held: bool, entries: tuple[str, ...]) -> Sequence[str]:
    found = tuple(entry for entry in entries if held_out(entry) == held)
    return found or entries
