"""How the Extract page reads JSON that is not there yet, or that is none, and finds values in a message."""

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.site.pages.conftest import Site

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

READ = """async (texts) => {
  const { readFields } = await import('/source/app/written_fields.js');
  return texts.map((text) => {
    const { fields, complete } = readFields(text);
    return [[...fields].map(([name, { value, done }]) => [name, value, done]), complete];
  });
}"""
CUT = """async ([message, values]) => {
  const { cutAt, placesOf } = await import('/source/app/value_places.js');
  return cutAt(message, placesOf(message, values)).map(({ text, names }) => [text, names]);
}"""


@pytest.fixture
def page_of_site(site: Site) -> "Page":
    return site.open("index.html")


def test_what_json_says_is_read(page_of_site: "Page") -> None:
    values = {
        "person": 'Zoë "Z" O\\Neil',
        "date": None,
        "note": "two\nlines\t🌬 й",
        "__proto__": "",
        "emoji": "🌱x",
    }
    for text in (json.dumps(values), json.dumps(values, ensure_ascii=False, indent=2)):
        expected = [[[name, value, True] for name, value in values.items()], True]
        assert page_of_site.evaluate(READ, [text]) == [expected]


def test_wherever_it_breaks_off_nothing_is_read_that_will_change(page_of_site: "Page") -> None:
    whole = json.dumps({"person": 'Zoë "Z" O\\', "date": None, "emoji": "a🌬"})
    states = page_of_site.evaluate(READ, [whole[:i] for i in range(len(whole) + 1)])
    final = {name: value for name, value, _ in states[-1][0]}
    for fields, complete in states[:-1]:
        assert not complete
        for name, value, done in fields:
            assert value == final[name] if done else final[name].startswith(value), (name, value)


def test_a_value_grows_as_it_is_written(page_of_site: "Page") -> None:
    pieces = ['{"per', 'son": "A', "nn", "\\u00e", '9"', ', "date": nu', "ll", "}"]
    states = page_of_site.evaluate(READ, ["".join(pieces[: i + 1]) for i in range(len(pieces))])
    person = [fields[0][1:] if fields else None for fields, _ in states]
    assert person[:5] == [None, ["A", False], ["Ann", False], ["Ann", False], ["Anné", True]]
    assert [complete for _, complete in states] == [False] * 7 + [True]
    assert states[6][0] == [["person", "Anné", True]], "a word may go on"
    assert states[7][0][1] == ["date", None, True]


@pytest.mark.parametrize(
    ("text", "fields", "complete"),
    [
        ("", [], False),
        ("no object at all", [], False),
        ("[1, 2]", [], False),
        ('Sure: ```{"a": "b"}``` and {"c": "d"}', [["a", "b", True]], True),
        ('{"a": "b" "c": "d",}', [["a", "b", True], ["c", "d", True]], True),
        ('{,,"a": "b"}', [["a", "b", True]], True),
        ('{"a": 12.5, "b": true}', [["a", "12.5", True], ["b", "true", True]], True),
        ('{"a": "b", "c": ["d"], "e": "f"}', [["a", "b", True]], False),
        ('{"a": {"b": "c"}}', [], False),
        ('{"a" "b"}', [], False),
        ('{a: "b"}', [], False),
        ('{"a": "x\ny\\q\\uZZZZ"}', [["a", "x\nyquZZZZ", True]], True),
        ('{"a": "b", "a": "c"}', [["a", "c", True]], True),
        ('{"a": "b", "c": "never en', [["a", "b", True], ["c", "never en", False]], False),
    ],
)
def test_what_is_no_json_gives_what_can_be_read(
    page_of_site: "Page", text: str, fields: list[Any], complete: bool
) -> None:
    assert page_of_site.evaluate(READ, [text]) == [[fields, complete]]


@pytest.mark.parametrize(
    ("message", "values", "pieces"),
    [
        ("", [["a", "x"]], []),
        ("Ann is here", [["a", "Ann"]], [["Ann", ["a"]], [" is here", []]]),
        ("32 of 2", [["a", "2"]], [["32 of ", []], ["2", ["a"]]]),
        ("32", [["a", "2"]], [["3", []], ["2", ["a"]]]),
        ("5, 5", [["a", "5"], ["b", "5"]], [["5", ["a"]], [", ", []], ["5", ["b"]]]),
        ("only 5", [["a", "5"], ["b", "5"]], [["only ", []], ["5", ["a", "b"]]]),
        ("ul. Nowa 5", [["a", "ul. Nowa 5"], ["b", "5"]], [["ul. Nowa ", ["a"]], ["5", ["a", "b"]]]),
        ("Їжак їсть", [["a", "їсть"], ["b", "ні"]], [["Їжак ", []], ["їсть", ["a"]]]),
        ("x", [["a", ""], ["b", "y"]], [["x", []]]),
    ],
)
def test_values_are_found_where_they_stand(
    page_of_site: "Page", message: str, values: list[Any], pieces: list[Any]
) -> None:
    assert page_of_site.evaluate(CUT, [message, values]) == pieces
