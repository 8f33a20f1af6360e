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
_CURRENCIES = {
    "en": ("£<n>", "$<n>", "€<n>", "<n> USD", "<n> EUR", "<n> pounds", "<n> dollars"),
    "uk": ("<n> грн", "<n> ₴", "<n> гривень", "<n>грн", "<n> UAH", "€<n>"),
    "pl": ("<n> zł", "<n> PLN", "<n>zł", "<n> złotych", "€<n>", "<n> EUR"),
    "ru": ("<n> руб.", "<n> ₽", "<n> рублей", "<n>₽", "<n> тенге", "<n> грн", "€<n>"),
}
# A value of a pool is held out for tests where its checksum says so.
_HELD_OUT_OF = 8
_FROM_POOL = 0.5


def held_out(value: str) -> bool:
    """Whether training never sees this value."""
    return zlib.crc32(value.encode()) % _HELD_OUT_OF == 0


class Values:
    """Draws values of one language: those that training sees, or, with `held`, those that it does not."""

    def __init__(self, language: Language, held: bool, source: random.Random) -> None:
        self._language, self._held, self._source = language, held, source

    def draw(self, name: str) -> str:
        """A value for the slot `name`, which may say a form: `service.acc`."""
        pool = _allowed(self._language, name, self._held)
        maker = _MAKERS.get(name)
        if maker is None or (pool and self._source.random() < _FROM_POOL):
            return self._expanded(self._source.choice(pool))
        for _ in range(100):
            made = maker(self)
            if held_out(made) == self._held and made.strip() == made:
                return made
        raise ValueError(f"{self._language.code}: no value for {name} in a hundred tries")

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
        if self._source.random() < 0.5:
            return self.faker().phone_number()
        return self._expanded(self._source.choice(_PHONES[self._language.code]))

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

    def house(self) -> str:
        return self._expanded(self._source.choice(("<1-199>", "<1-199>", "<1-99><A|B|C|а|б|в>", "<1-99>/<1-99>")))

    def apartment(self) -> str:
        return self._expanded(self._source.choice(("<1-299>", "<1-99>", "<1-99><a|b>")))

    def amount(self) -> str:
        """A sum of money as it is written in the language."""
        whole = self._source.choice((9, 99, 999, 9999, 99999))
        number = str(self._source.randint(1, whole))
        if len(number) > 3 and self._source.random() < 0.5:
            number = number[:-3] + self._source.choice((" ", ",", " ")) + number[-3:]
        if self._source.random() < 0.5:
            point = "." if self._language.code == "en" else self._source.choice((",", ",", "."))
            number += f"{point}{self._source.randint(0, 99):02d}"
        return self._source.choice(_CURRENCIES[self._language.code]).replace("<n>", number)

    def order_number(self) -> str:
        shapes = ("<1000-999999>", "<A|B|C|Z|X|PL|UA|ORD|INV>-<1000-99999>", "<20|21|24|25|26>/<100-99999>", "<10-99>-<1000-9999>")
        return self._expanded(self._source.choice((*shapes, "<A|K|M|W><1000-99999><A|B|C|D>")))

    def time(self) -> str:
        return self._expanded(self._source.choice(("<7-21>:<00|15|30|45|10|20|40|50>", "<07-21>:<00|30>", "<7-21>.<00|30>")))

    def date(self) -> str:
        shapes = ("<1-28>.<01-12>.<2025|2026|2027>", "<1-28>.<01-12>", "<01-28>/<01-12>", "<2026|2027>-<01-12>-<01-28>")
        return self._expanded(self._source.choice(shapes))


_PHONES = {
    "en": ("07<100-999> <100000-999999>", "+44 20 <1000-9999> <1000-9999>", "(<200-999>) <100-999>-<1000-9999>", "<200-999>-<100-999>-<1000-9999>", "+1 <200-999> <100-999> <1000-9999>"),
    "uk": ("+380<50|63|66|67|68|73|93|95|96|97|98|99><1000000-9999999>", "0<50|63|67|68|93|95|96|97><1000000-9999999>", "0<50|63|67|93> <100-999> <10-99> <10-99>", "0<50|67|97>-<100-999>-<10-99>-<10-99>", "(044) <200-599>-<10-99>-<10-99>"),
    "pl": ("<500-899> <100-999> <100-999>", "+48 <500-899> <100-999> <100-999>", "<500-899><100000-999999>", "22 <300-899> <10-99> <10-99>", "<500-899>-<100-999>-<100-999>"),
    "ru": ("+7 <900-999> <100-999>-<10-99>-<10-99>", "8 (<900-999>) <100-999>-<10-99>-<10-99>", "8<9000000000-9999999999>", "+7<9000000000-9999999999>", "8 <495|812|343> <100-999> <10-99> <10-99>"),
}  # fmt: skip
_MAKERS: dict[str, Callable[[Values], str]] = {
    "person": Values.person,
    "phone": Values.phone,
    "email": Values.email,
    "company": Values.company,
    "website": Values.website,
    "street": Values.street,
    "house": Values.house,
    "apartment": Values.apartment,
    "postcode": Values.postcode,
    "city": Values.city,
    "country": Values.country,
    "position": Values.position,
    "unit_price": Values.amount,
    "total": Values.amount,
    "order_number": Values.order_number,
    "time": Values.time,
    "date": Values.date,
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
