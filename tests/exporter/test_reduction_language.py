"""The language files of the extraction model keep their own rules, and examples made of them are true."""

import random
import re
import unicodedata
from collections import Counter
from dataclasses import replace
from itertools import islice
from typing import Any

import pytest

from exporter.reduction.extraction.examples import (
    Maker,
    held_out_examples,
    mixed_examples,
    training_examples,
    written_examples,
)
from exporter.reduction.extraction.language_files import Template, language
from exporter.reduction.extraction.makers import Makers
from exporter.reduction.extraction.schema import ALL_KINDS, KINDS, LANGUAGES
from exporter.reduction.extraction.values import CLOSED, Values, held_out, marked

MACRO = re.compile(r"<([^<>]*)>")


@pytest.fixture(params=LANGUAGES)
def code(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_every_kind_has_templates_enough_for_training_and_for_tests(code: str) -> None:
    for kind, fields in ALL_KINDS.items():
        own = [each for each in language(code).templates if each.kind == kind]
        assert len(own) >= 60
        assert 8 <= sum(each.held_out for each in own) <= 20
        for field in fields:
            present = sum(field in each.fields for each in own)
            assert 20 <= present <= len(own) - 12, (kind, field)


def test_templates_name_fields_of_their_kind_once_and_pools_that_there_are(code: str) -> None:
    spoken, values = language(code), Values(language(code), False, random.Random(0))
    for template in spoken.templates:
        assert len(set(template.fields)) == len(template.fields), template
        assert set(template.fields) <= set(ALL_KINDS[template.kind]), template
        assert not re.search(r"[{}]", "".join(template.parts[::2])), template
        assert all(values.draw(name) for name in template.parts[1::2]), template


def test_pools_are_large_and_their_macros_well_formed(code: str) -> None:
    for name, entries in language(code).training_pools.items():
        assert any(name.split(".")[0] in fields for fields in ALL_KINDS.values())
        assert len(entries) == len(set(entries)) >= 15, name
        for macro in (macro for entry in entries for macro in MACRO.findall(entry)):
            assert re.fullmatch(r"\d+-\d+|[^|]*(\|[^|]*)+", macro), (name, macro)


def test_no_company_is_two_surnames_alone(code: str) -> None:
    make = Makers(language(code), random.Random(3)).company
    made = {make() for _ in range(300)}
    assert len(made) > 150
    assert not [each for each in made if re.fullmatch(r"[^\s-]+-[^\s-]+", each)]


@pytest.mark.parametrize("count", [1, 7, 12, 60])
def test_some_of_the_messages_by_hand_are_of_all_kinds_alike(code: str, count: int) -> None:
    some = written_examples(code, count=count)
    of = Counter(each.kind for each in some)
    assert len({each.message for each in some}) == len(some) == count
    assert len(of) == min(count, len(KINDS))
    assert max(of.values()) - min(of.values()) <= 1


def test_messages_by_hand_say_their_values_word_for_word(code: str) -> None:
    written = written_examples(code)
    assert len(written) >= 100
    assert len({each.message for each in written}) == len(written)
    for each in written:
        assert tuple(each.values) == ALL_KINDS[each.kind] == each.fields
        found = [value for value in each.values.values() if value is not None]
        assert found, each
        assert all(value == value.strip() and value in each.message for value in found), each


def test_made_examples_are_substrings_of_their_messages(code: str) -> None:
    for held in (False, True):
        maker = Maker(language(code), held, random.Random(3))
        for example in (maker.make(kind) for _ in range(80) for kind in ALL_KINDS):
            assert set(example.fields) == set(example.values)
            for value in example.values.values():
                assert value is None or (value in example.message and value == value.strip()), example


def test_the_same_seed_makes_the_same_examples() -> None:
    once, again = (list(islice(training_examples(5), 40)) for _ in range(2))
    assert once == again
    assert once != list(islice(training_examples(6), 40))


def test_calm_messages_are_one_template_and_as_many_as_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    wild = []
    joined = Maker._joined
    monkeypatch.setattr(Maker, "_joined", lambda *given: wild.append(1) or joined(*given))
    for calm, least, most in ((0.0, 200, 200), (0.6, 55, 105), (1.0, 0, 0)):
        wild.clear()
        made = list(islice(training_examples(5, calm=calm), 200))
        assert least <= len(wild) <= most
        assert {each.kind for each in made} == set(KINDS)


def open_slots(code: str) -> list[str]:
    """The slots of templates whose values may be held out."""
    slots = {name for each in language(code).templates for name in each.parts[1::2]}
    return sorted(name for name in slots if name.partition(".")[0] not in CLOSED)


def test_values_are_those_of_training_or_those_of_tests(code: str) -> None:
    for held in (False, True):
        values = Values(language(code), held, random.Random(1), plain=True)
        for name in open_slots(code):
            assert all(held_out(values.draw(name)) is held for _ in range(30)), name


def test_unknown_words_are_for_training_alone(code: str) -> None:
    known = set(language(code).training_pools["product"]) | set(language(code).training_pools["item"])
    for plain, unknown in ((True, False), (False, True)):
        values = Values(language(code), False, random.Random(1), plain=plain)
        drawn = {values.draw("product") for _ in range(200)}
        assert any(value not in known and not re.search(r"\d", value) for value in drawn) is unknown


def test_no_template_is_for_training_and_for_tests(code: str) -> None:
    def told(held: bool) -> set[str]:
        return {
            re.sub(r"\W+", " ", " ".join(each.parts).lower())
            for each in language(code).templates
            if each.held_out is held
        }

    assert told(held=True).isdisjoint(told(held=False))


@pytest.mark.parametrize("held", [True, False])
def test_what_was_added_for_training_changes_no_test(code: str, held: bool) -> None:
    spoken = language(code)
    added, without = (
        Values(each, held, random.Random(4))
        for each in (spoken, replace(spoken, training_pools=spoken.pools))
    )
    drawn = [(added.draw("product"), without.draw("product")) for _ in range(60)]
    assert all(one == other for one, other in drawn) is held


def test_what_was_added_for_training_is_in_no_message_by_hand(code: str) -> None:
    spoken = language(code)
    tested = {value.lower() for each in spoken.written for value in each.values.values() if value}
    for name, entries in spoken.training_pools.items():
        added = set(entries) - set(spoken.pools.get(name, ()))
        assert not [value for value in added if value.lower() in tested], name


def test_what_few_words_say_is_known_and_all_else_is_new_in_tests(code: str) -> None:
    trained, tested = (Values(language(code), held, random.Random(1)) for held in (False, True))
    assert any(held_out(trained.draw("color")) for _ in range(100))
    assert not all(held_out(tested.draw("color")) for _ in range(100))
    assert all(
        held_out(tested.draw(name)) for name in ("service", "product", "place", "phone") for _ in range(20)
    )


class Listed(random.Random):
    """Chooses the first of all that there is."""

    def choice(self, seq: Any) -> Any:
        return seq[0]

    def random(self) -> float:
        return 0.0


@pytest.mark.parametrize(
    ("text", "value", "message", "said"),
    [
        ("By {delivery}.", "12.03.", "By 12.03.", "12.03"),
        ("By {delivery}", "12.03.", "By 12.03", "12.03"),
        ("By {delivery}. Thanks", "12.03.", "By 12.03. Thanks", "12.03"),
        ("By {delivery}, thanks.", "12.03.", "By 12.03., thanks.", "12.03."),
        ("By {delivery}.", "12.03", "By 12.03.", "12.03"),
        ("By {delivery}.", "5 p.m.", "By 5 p.m.", "5 p.m."),
        ("By {delivery}", "5 p.m.", "By 5 p.m.", "5 p.m."),
    ],
)
def test_a_point_after_a_number_is_that_of_its_sentence(
    text: str, value: str, message: str, said: str
) -> None:
    before, after = text.split("{delivery}")
    template = Template("order", (before, "delivery", after), ("delivery",), False)
    pools = {"delivery": [value]}
    only = replace(language("en"), templates=(template,), pools=pools, training_pools=pools)
    made = Maker(only, False, Listed())._filled(template)
    assert made == (message, {"delivery": said})


def test_marked_words_are_the_same_without_their_marks() -> None:
    source = random.Random(0)
    for text in ("Tall brick house, No. 7", "długa ulica", "Миколаїв, їжа"):
        found = {marked(text, source) for _ in range(20)}
        assert len(found) > 1
        assert all(len(each) == len(text) and _unmarked(each) == _unmarked(text) for each in found)


def _unmarked(text: str) -> str:
    return "".join(one for one in unicodedata.normalize("NFD", text) if not unicodedata.combining(one))


def test_plain_messages_are_calm_ones_that_are_asked_for_all_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    for plain, least, most in ((0.0, 90, 150), (0.5, 120, 190), (1.0, 200, 200)):
        made = list(islice(training_examples(5, calm=1.0, plain=plain), 200))
        assert least <= sum(each.fields == KINDS[each.kind] for each in made) <= most
    wild = list(islice(training_examples(5, calm=0.0, plain=1.0), 40))
    assert wild == list(islice(training_examples(5), 40))
    monkeypatch.delattr(Maker, "_surrounded")
    assert len(list(islice(training_examples(5, calm=1.0, plain=1.0), 40))) == 40


@pytest.mark.parametrize("new_templates", [True, False])
def test_a_mixture_is_of_the_templates_and_values_that_it_names(code: str, new_templates: bool) -> None:
    examples = mixed_examples(code, 25, tuple(KINDS), new_templates=new_templates, new_values=True)
    found = [each.values.get(field) for each in examples for field in ("service", "product", "place")]
    assert all(held_out(value) for value in found if value)
    wordings = [
        re.compile(".*".join(map(re.escape, each.parts[::2])), re.DOTALL)
        for each in language(code).templates
        if each.held_out is new_templates
    ]
    assert all(any(each.fullmatch(example.message) for each in wordings) for example in examples)


def test_held_out_examples_come_of_held_out_templates(code: str) -> None:
    examples = held_out_examples(code, 25)
    assert [each.kind for each in examples] == list(KINDS) * 5
    assert all(each.fields == KINDS[each.kind] for each in examples)
