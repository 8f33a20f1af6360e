"""Values that a machine makes: names, addresses and numbers from faker's locales, or of digits and letters."""

import random
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING

from exporter.reduction.extraction.language_files import Language

if TYPE_CHECKING:
    from faker import Faker

_LOCALES = {"en": ("en_GB", "en_US"), "uk": ("uk_UA",), "pl": ("pl_PL",), "ru": ("ru_RU",)}
# People have names of all countries; these are written in the same letters.
_FOREIGN_NAMES = {
    "en": (
        *("fr_FR", "de_DE", "es_ES", "it_IT", "nl_NL", "en_IN", "en_NG", "ga_IE", "sv_SE"),
        *("cs_CZ", "tr_TR", "pl_PL", "hu_HU", "ro_RO", "fi_FI", "pt_BR", "hr_HR"),
    ),
    "uk": ("ru_RU", "bg_BG"),
    "pl": ("cs_CZ", "de_DE", "en_GB", "it_IT", "sk_SK", "fr_FR", "hu_HU", "tr_TR", "es_ES"),
    "ru": ("uk_UA", "bg_BG"),
}
_FOREIGN, _DOUBLE, _INITIAL, _TWO_INITIALS = 0.15, 0.06, 0.05, 0.4
_ENDINGS = (
    "com",
    "org",
    "net",
    "info",
    "eu",
    "io",
    "biz",
    "example",
    "co.uk",
    "pl",
    "com.pl",
    "ua",
    "com.ua",
    "ru",
)
_HANDLES = (
    "{first}.{last}",
    "{first}{number}",
    "{i}.{last}",
    "{last}",
    "{word}",
    "{word}.{first}",
    "{first}_{last}",
)
# Where faker has no companies, it makes English ones of surnames.
_COMPANIES_OF_PATTERNS = ("uk",)
_TWO_SURNAMES = re.compile(r"[^\s-]+-[^\s-]+")
_MACRO = re.compile(r"<([^<>]*)>")


class Makers:
    """Makes values of one language out of a source of chance."""

    def __init__(self, language: Language, source: random.Random) -> None:
        self._language, self._source = language, source
        self.by_field: Mapping[str, Callable[[], str]] = {
            "person": self.person,
            "phone": self.phone,
            "email": self.email,
            "website": self.website,
            "unit_price": self.amount,
            "total": self.amount,
            "city": self.city,
            "company": self.company,
            **{name: self._of_faker(method) for name, method in _OF_FAKER.items()},
            **{name: self._of_pattern(name) for name in _PATTERNS},
        }

    def expanded(self, text: str) -> str:
        """The text with its macros played out: <1-28> is a number, <a|b> one of the words."""
        return _MACRO.sub(lambda found: self._macro(found[1]), text)

    def _macro(self, body: str) -> str:
        if "|" in body:
            return self._source.choice(body.split("|"))
        low, high = body.split("-")
        number = self._source.randint(int(low), int(high))
        return str(number).zfill(len(low)) if low.startswith("0") else str(number)

    def _faker(self, locales: tuple[str, ...] = ()) -> "Faker":
        """faker of one of the locales, the language's own if none are named, seeded from our own source."""
        made = _faker(self._source.choice(locales or _LOCALES[self._language.code]))
        made.seed_instance(self._source.getrandbits(64))
        return made

    def _of_faker(self, method: str) -> Callable[[], str]:
        return lambda: str(getattr(self._faker(), method)())

    def _of_pattern(self, name: str) -> Callable[[], str]:
        return lambda: self.pattern(name)

    def pattern(self, name: str) -> str:
        """A value of digits and letters, as the language writes it."""
        return self.expanded(self._source.choice(self._language.patterns[name]))

    def person(self) -> str:
        """First or last name or both, in either order; now and then foreign, double-barrelled, or with an initial."""
        foreign = self._source.random() < _FOREIGN
        made = self._faker(_FOREIGN_NAMES[self._language.code] if foreign else ())
        how, first, last = self._source.random(), made.first_name(), made.last_name()
        if self._source.random() < _DOUBLE:
            last = f"{last}-{made.last_name()}"
        if how < 0.25:
            return first
        if how < 0.35:
            return last
        if how < 0.35 + _INITIAL:
            second = f" {made.first_name()[0]}." if self._source.random() < _TWO_INITIALS else ""
            return f"{first[0]}.{second} {last}"
        return f"{last} {first}" if how > 0.9 else f"{first} {last}"

    def phone(self) -> str:
        return str(self._faker().phone_number()) if self._source.random() < 0.5 else self.pattern("phone")

    def email(self) -> str:
        """faker's, or a handle of a name or a word at a domain of two words."""
        if self._source.random() < 0.3:
            return str(self._faker().email())
        first, last = self._latin_name()
        parts = {"first": first, "last": last, "i": first[0], "word": self._word()}
        handle = self._source.choice(_HANDLES).format(**parts, number=self._source.randint(1, 99))
        return f"{handle}@{self._domain()}"

    def website(self) -> str:
        """A domain, with or without what stands before and after it."""
        if self._source.random() < 0.25:
            return str(self._faker().url().rstrip("/"))
        before = self._source.choice(("", "", "www.", "https://", "https://www.", "shop."))
        after = self._source.choice(("", "", "", f"/{self._word()}"))
        return f"{before}{self._domain()}{after}"

    def _domain(self) -> str:
        if self._source.random() < 0.2:
            return str(self._faker().domain_name())
        joint = self._source.choice(("", "", "-"))
        words = [self._word() for _ in range(self._source.choice((1, 2, 2)))]
        return f"{joint.join(words)}.{self._source.choice(_ENDINGS)}"

    def _word(self) -> str:
        made = self._faker(("en_GB",))
        return str(made.word() if self._source.random() < 0.6 else made.last_name()).lower().replace(" ", "")

    def _latin_name(self) -> tuple[str, str]:
        made = self._faker(("en_GB", "en_US", "fr_FR", "it_IT"))
        letters = [re.sub(r"[^a-z]", "", name.lower()) for name in (made.first_name(), made.last_name())]
        return letters[0] or "me", letters[1] or "post"

    def city(self) -> str:
        made = self._faker()
        return str(made.city_name() if hasattr(made, "city_name") else made.city())

    def company(self) -> str:
        """faker's, or a surname or two with a form of a company: without one they could as well be a person's."""
        own = self._language.code not in _COMPANIES_OF_PATTERNS
        made = str(self._faker().company() if own else self._faker().last_name())
        if own and not _TWO_SURNAMES.fullmatch(made):
            return made
        return self._source.choice(self._language.patterns["company"]).replace("<n>", made)

    def amount(self) -> str:
        """A sum of money as it is written in the language."""
        whole = self._source.choice((9, 99, 999, 9999, 99999))
        number = str(self._source.randint(1, whole))
        if len(number) > 3 and self._source.random() < 0.5:
            joint = self._source.choice((" ", ",")) if self._language.code == "en" else " "
            number = number[:-3] + joint + number[-3:]
        if self._source.random() < 0.5:
            point = "." if self._language.code == "en" else self._source.choice((",", ",", "."))
            number += f"{point}{self._source.randint(0, 99):02d}"
        return self._source.choice(self._language.patterns["amount"]).replace("<n>", number)


_OF_FAKER = {
    "street": "street_name",
    "postcode": "postcode",
    "country": "country",
    "position": "job",
}
_PATTERNS = ("house", "apartment", "order_number", "time", "date")


@cache
def _faker(locale: str) -> "Faker":
    from faker import Faker

    return Faker(locale)
