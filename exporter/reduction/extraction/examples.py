"""Examples for training and tests: a message, the wanted fields, and what they are."""

import random
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import zip_longest

from exporter.reduction.extraction.crossing import BySlot, by_slot, crossed
from exporter.reduction.extraction.language_files import Language, Template, language
from exporter.reduction.extraction.prompts import answer, prompt
from exporter.reduction.extraction.schema import ALL_KINDS, KINDS, LANGUAGES
from exporter.reduction.extraction.values import Values, blend

# How often a template is crossed with another, a message is made of two, gets sentences that say nothing, or is written
# carelessly.
_CROSSED, _JOINED, _FOREIGN, _FILLED, _INSERTED = 0.4, 0.25, 0.06, 0.35, 0.12
_LOWERED, _RAISED, _PLAIN, _UNPOINTED, _MISTYPED, _GARBLED = 0.12, 0.03, 0.3, 0.2, 0.08, 0.15
_ALL_WANTED = 0.55
# Wanted beside a message's own fields: their values look like nothing else, so that it is sure that there is none.
_NEVER_HIDDEN = ("vat", "order_number", "email", "website", "postcode", "phone")
_SENTENCE_ENDS = re.compile(r"[.!?]\s+(?=\w)")
_NUMBER_AND_POINT = re.compile(r"\d\.\Z")
_WORD = re.compile(r"\b[^\W\d_]{3,}")
_TABLE = str.maketrans({"ł": "l", "Ł": "L"})


@dataclass(frozen=True)
class Example:
    """`fields` are wanted in this order; `values` are substrings of `message` or None."""

    language: str
    kind: str
    message: str
    fields: tuple[str, ...]
    values: Mapping[str, str | None]

    @property
    def prompt(self) -> str:
        """What the model reads."""
        return prompt(self.fields, self.message)

    @property
    def answer(self) -> str:
        """What it shall write."""
        return answer(self.fields, self.values)


def training_examples(
    seed: int,
    kinds: Sequence[str] = tuple(KINDS),
    calm: float = 0.0,
    plain: float = 0.0,
    languages: Sequence[str] = LANGUAGES,
) -> Iterator[Example]:
    """Without end; the same seed gives the same examples. No held-out template or value is in them.

    A language that is named twice is drawn twice as often.

    Of the messages a share of `calm` is one template that nobody crossed, joined, garbled or interrupted, and of these
    a share of `plain` has nothing around it, is written carefully, and is asked for all fields, as tests are.
    """
    source = random.Random(seed)
    while True:
        maker = Maker(language(source.choice(languages)), False, source)
        kind = source.choice(kinds)
        if not calm or source.random() >= calm:
            yield maker.make(kind)
        else:
            yield maker.make_plain(kind) if plain and source.random() < plain else maker.make_calm(kind)


def held_out_examples(
    code: str, count: int, seed: int = 1, kinds: Sequence[str] = tuple(KINDS)
) -> list[Example]:
    """Examples of held-out templates with held-out values, all fields of the kind wanted, nothing added."""
    return mixed_examples(code, count, kinds, new_templates=True, new_values=True, seed=seed)


def mixed_examples(
    code: str, count: int, kinds: Sequence[str], *, new_templates: bool, new_values: bool, seed: int = 1
) -> list[Example]:
    """As `held_out_examples`, but that templates, or values, may be those of training, without its unknown words."""
    maker = Maker(language(code), new_templates, random.Random(seed), new_values)
    return [maker.make_plain(kind) for _ in range(-(-count // len(kinds))) for kind in kinds][:count]


def written_examples(
    code: str, kinds: Sequence[str] = tuple(KINDS), count: int | None = None
) -> list[Example]:
    """The messages that were written by hand; with `count` at most so many, of each kind as many as can be.

    The file has them in order of their kinds, so its first ones would be of one kind.
    """
    found = [
        Example(code, each.kind, each.message, ALL_KINDS[each.kind], each.values)
        for each in language(code).written
        if each.kind in kinds
    ]
    if count is None or count >= len(found):
        return found
    rounds = zip_longest(*([each for each in found if each.kind == kind] for kind in kinds))
    return [each for one in rounds for each in one if each is not None][:count]


class Maker:
    """Makes examples of one language, of templates that are held out or not.

    Values are as they; with `held_values`, for tests, as that says, and plain.
    """

    def __init__(
        self, spoken: Language, held: bool, source: random.Random, held_values: bool | None = None
    ) -> None:
        self._language, self._held, self._source = spoken, held, source
        tested = held_values is not None
        self._values = Values(spoken, bool(held_values) if tested else held, source, plain=tested)

    def make_plain(self, kind: str) -> Example:
        """One template of the kind, filled."""
        template = self._source.choice(_templates(self._language.code, kind, self._held))
        message, found = self._filled(template)
        return Example(self._language.code, kind, message, ALL_KINDS[kind], _with_nulls(kind, found))

    def make(self, kind: str) -> Example:
        """As varied as messages can be: joined, with sentences in and around them, careless, with any fields wanted."""
        message, found = self._joined(kind)
        message = self._surrounded(self._interrupted(message, found))
        message = self._garbled(message, found)
        return self._finished(kind, message, found)

    def make_calm(self, kind: str) -> Example:
        """One template, with sentences around it, careless, with any fields wanted."""
        message, found = self._filled(self._source.choice(_templates(self._language.code, kind, self._held)))
        return self._finished(kind, self._surrounded(message), found)

    def _finished(self, kind: str, message: str, found: Mapping[str, str]) -> Example:
        message, found = self._careless(message, found)
        values = _with_nulls(kind, found)
        fields = self._wanted(kind)
        return Example(
            self._language.code, kind, message, fields, {field: values.get(field) for field in fields}
        )

    def _filled(self, template: Template) -> tuple[str, dict[str, str]]:
        pieces = list(template.parts)
        pieces[1::2] = [self._values.draw(name) for name in template.parts[1::2]]
        for at in range(2, len(pieces), 2):
            # After a number, at the end of a sentence, a point is the sentence's: nobody could tell whose else it is.
            if _NUMBER_AND_POINT.search(pieces[at - 1]) and pieces[at][:1] in ("", "."):
                pieces[at - 1] = pieces[at - 1][:-1]
            # A sentence that ends in an abbreviation has one point.
            elif pieces[at - 1].endswith(".") and pieces[at].startswith("."):
                pieces[at] = pieces[at][1:]
        return "".join(pieces), dict(zip(template.fields, pieces[1::2], strict=True))

    def _joined(self, kind: str) -> tuple[str, dict[str, str]]:
        first = self._source.choice(_templates(self._language.code, kind, self._held))
        if self._source.random() < _CROSSED:
            first = crossed(first, _slots(self._language.code, kind, self._held), self._source)
        message, found = self._filled(first)
        chance = self._source.random()
        if chance < _JOINED:
            others = [
                t
                for t in _templates(self._language.code, kind, self._held)
                if not set(t.fields) & set(first.fields)
            ]
            second = self._source.choice(others) if others else None
        elif chance < _JOINED + _FOREIGN:
            second = self._foreign(kind)
        else:
            return message, found
        if second is None or len(message) > 300:
            return message, found
        more, values = self._filled(second)
        own = {field: value for field, value in values.items() if field in ALL_KINDS[kind]}
        pair = (message, more) if self._source.random() < 0.5 else (more, message)
        return self._source.choice((" ", "\n", " ", "\n\n")).join(pair), found | own

    def _foreign(self, kind: str) -> Template | None:
        """A template of another kind that shares no field with this one."""
        others = [
            template
            for other, fields in KINDS.items()
            if not set(fields) & set(ALL_KINDS[kind])
            for template in _templates(self._language.code, other, self._held)
        ]
        return self._source.choice(others) if others else None

    def _interrupted(self, message: str, found: Mapping[str, str]) -> str:
        """Now and then a sentence that says nothing stands between two of the message's own."""
        ends = [found.end() for found in _SENTENCE_ENDS.finditer(message)]
        if not ends or self._source.random() >= _INSERTED:
            return message
        at = self._source.choice(ends)
        longer = f"{message[:at]}{self._source.choice(self._language.fillers)} {message[at:]}"
        return longer if all(value in longer for value in found.values()) else message

    def _surrounded(self, message: str) -> str:
        between = self._source.choice((" ", " ", "\n"))
        if self._source.random() < _FILLED:
            message = f"{self._source.choice(self._language.fillers)}{between}{message}"
        if self._source.random() < _FILLED:
            message = f"{message}{between}{self._source.choice(self._language.fillers)}"
        return message

    def _careless(self, message: str, found: Mapping[str, str]) -> tuple[str, dict[str, str]]:
        values = dict(found)
        chance = self._source.random()
        if chance < _LOWERED + _RAISED:
            change = str.lower if chance < _LOWERED else str.upper
            message, values = change(message), {field: change(value) for field, value in values.items()}
        if self._language.code == "pl" and self._source.random() < _PLAIN:
            message, values = _plain(message), {field: _plain(value) for field, value in values.items()}
        if self._source.random() < _UNPOINTED and message.endswith((".", "!")):
            shorter = message[:-1]
            message = shorter if all(value in shorter for value in values.values()) else message
        if self._source.random() < _MISTYPED:
            message = self._mistyped(message, values)
        return message, values

    def _garbled(self, message: str, values: Mapping[str, str]) -> str:
        """Now and then a few words around the values are ones that nobody knows, or are missing."""
        if self._source.random() >= _GARBLED:
            return message
        for _ in range(self._source.randint(1, 3)):
            words = list(_WORD.finditer(message))
            if not words:
                break
            word, other = self._source.choice(words), self._source.choice(words)
            new = blend(word.group(), other.group()) if self._source.random() < 0.7 else ""
            changed = message[: word.start()] + new + message[word.end() :]
            if all(changed.count(value) == message.count(value) for value in values.values()):
                message = changed
        return message

    def _mistyped(self, message: str, values: Mapping[str, str]) -> str:
        """Two neighbours swapped somewhere outside of all values."""
        at = self._source.randrange(max(1, len(message) - 1))
        swapped = message[:at] + message[at : at + 2][::-1] + message[at + 2 :]
        return swapped if all(value in swapped for value in values.values()) else message

    def _wanted(self, kind: str) -> tuple[str, ...]:
        fields = list(ALL_KINDS[kind])
        if self._source.random() < _ALL_WANTED:
            return tuple(fields)
        self._source.shuffle(fields)
        fields = fields[: self._source.randint(1, len(fields))]
        if self._source.random() < 0.2:
            strange = [field for field in _NEVER_HIDDEN if field not in ALL_KINDS[kind]]
            fields.insert(self._source.randint(0, len(fields)), self._source.choice(strange))
        return tuple(fields)


@cache
def _templates(code: str, kind: str, held: bool) -> Sequence[Template]:
    return [each for each in language(code).templates if each.kind == kind and each.held_out == held]


@cache
def _slots(code: str, kind: str, held: bool) -> BySlot:
    return by_slot(_templates(code, kind, held))


def _with_nulls(kind: str, found: Mapping[str, str]) -> dict[str, str | None]:
    return {field: found.get(field) for field in ALL_KINDS[kind]}


def _plain(text: str) -> str:
    """Without the marks on letters, as many people type."""
    spread = unicodedata.normalize("NFD", text.translate(_TABLE))
    return "".join(letter for letter in spread if not unicodedata.combining(letter))
