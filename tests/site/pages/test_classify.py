"""The Classify page: own labels and a model's, one text, labelled words, and labels in files."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.site.pages.classify_page import PAYMENT, bring_lines, choose, given, load_model, own_labels, saved
from tests.site.pages.conftest import CLASSIFIER, EMBEDDER, TAGGER, WRITER, Site

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror=alert(1)>"


def test_a_text_gets_a_label_while_it_is_typed(site: Site) -> None:
    page = site.open("classify.html")
    expect(page.get_by_label("Name of the label")).to_have_count(4)
    page.get_by_label("Text", exact=True).fill("The courier")
    assert site.calls("embed") == []
    load_model(page)
    expect(given(page)).to_have_text("Delivery")
    page.get_by_label("Text", exact=True).fill(PAYMENT)
    expect(given(page)).to_have_text("Billing")
    scores = [float(text.split()[-1]) for text in page.locator("#ranked .score").all_inner_texts()]
    assert len(scores) == 4
    assert scores == sorted(scores, reverse=True)
    assert sum(scores) != pytest.approx(1), "similarities are shown as they are"
    expect(page.locator("#status")).to_contain_text(re.compile(r"Billing\. Similarity: 0\.\d\d"))
    page.get_by_label("Text", exact=True).fill("")
    expect(given(page)).to_be_hidden()


def test_the_least_similarity_is_moved_without_asking_the_model(site: Site) -> None:
    page = site.open("classify.html")
    load_model(page)
    page.get_by_label("Text", exact=True).fill(PAYMENT)
    expect(given(page)).to_have_text("Billing")
    asked = len(site.calls("embed"))
    least = page.get_by_label("Least similarity")
    least.focus()
    page.keyboard.press("End")
    expect(page.locator("#least-shown")).to_have_text("0.90")
    expect(given(page)).to_have_text("None of these")
    page.keyboard.press("Home")
    expect(given(page)).to_have_text("Billing")
    assert len(site.calls("embed")) == asked


def test_labels_are_the_visitors_own_and_answer_at_once(site: Site) -> None:
    page = site.open("classify.html")
    load_model(page)
    page.get_by_label("Text", exact=True).fill("gardening with tulips")
    own_labels(page, Garden="tulips bloom\nroses smell", Kitchen="soup boils")
    expect(given(page)).to_have_text("Garden")
    page.get_by_label("Examples of it").last.fill("gardening tulips\ntulips gardening")
    expect(given(page)).to_have_text("Kitchen")
    page.get_by_role("button", name="Remove this label").last.click()
    expect(given(page)).to_have_text("Garden")
    expect(page.get_by_label("Name of the label")).to_be_focused()


def test_names_that_are_markup_stay_names_and_two_of_one_name_are_one(site: Site) -> None:
    page = site.open("classify.html")
    load_model(page)
    hostile = "<img src=x onerror=alert(1)>"
    own_labels(page, **{hostile: "tulips bloom"})
    page.get_by_role("button", name="Add a label").click()
    page.keyboard.type(hostile)
    page.get_by_label("Text", exact=True).fill("tulips bloom")
    expect(given(page)).to_have_text(hostile)
    expect(page.locator("#ranked li")).to_have_count(1)
    assert page.locator("main img").count() == 0


def test_labels_stay_on_the_device_until_they_are_removed(site: Site) -> None:
    page = site.open("classify.html")
    page.get_by_label("Name of the label").first.fill("Money")
    page.get_by_label("Least similarity").fill("0.4")
    page = site.open("classify.html")
    expect(page.get_by_label("Name of the label").first).to_have_value("Money")
    expect(page.locator("#least-shown")).to_have_text("0.40")
    page.get_by_role("button", name="Remove all").click()
    page = site.open("classify.html")
    expect(page.get_by_label("Name of the label").first).to_have_value("Billing")
    expect(page.locator("#least-shown")).to_have_text("0.20")


def test_a_set_to_start_from_replaces_the_labels_and_can_be_taken_back(site: Site) -> None:
    page = site.open("classify.html")
    page.get_by_label("Name of the label").first.fill("Money")
    page.get_by_role("button", name="News").click()
    expect(page.get_by_label("Name of the label").first).to_have_value("Politics")
    page.get_by_role("button", name="Bring the former ones back").click()
    expect(page.get_by_label("Name of the label").first).to_have_value("Money")


def test_sets_are_kept_under_names_chosen_changed_and_deleted(site: Site) -> None:
    page = site.open("classify.html")
    sets = page.get_by_role("list", name="Your sets")
    first = page.get_by_label("Name of the label").first
    note = page.locator("#labels-note")
    expect(page.get_by_role("button", name="News")).to_be_visible()
    expect(sets).to_be_hidden()
    page.get_by_role("button", name="Keep as a set").click()
    name = page.get_by_role("textbox", name="Name for these labels")
    expect(name).to_be_focused()
    own_labels(page, Garden="tulips bloom")
    for title in ("Work 10", "Work 9", HOSTILE):
        name.fill(f"  {title} ")
        name.press("Enter")
        expect(note).to_have_text(f"The set “{title}” is kept in this browser.")
    own_labels(page, Kitchen="soup boils")
    name.fill("Work 9")
    name.press("Enter")
    expect(note).to_contain_text("The set “Work 9” has these labels now.")
    page.reload()
    expect(sets.get_by_role("listitem")).to_have_text([f"{HOSTILE}✕", "Work 10✕", "Work 9✕"])
    sets.get_by_role("button", name="Work 10", exact=True).click()
    expect(first).to_have_value("Garden")
    expect(name).to_have_value("Work 10")
    page.get_by_role("button", name="Bring the former ones back").click()
    expect(first).to_have_value("Kitchen")
    name.press("Enter")
    expect(note).to_contain_text("The set “Work 10” has these labels now.")
    page.get_by_role("button", name="Make it as it was").click()
    expect(page.locator("#status")).to_have_text("The set “Work 10” is back.")
    expect(sets.get_by_role("button", name="Work 10", exact=True)).to_be_focused()
    page.get_by_role("button", name="Delete the set “Work 10”").click()
    expect(sets.get_by_role("listitem")).to_have_count(2)
    expect(name).to_be_focused()
    page.get_by_role("button", name="Bring it back").click()
    expect(sets.get_by_role("button", name="Work 10", exact=True)).to_be_focused()
    sets.get_by_role("button", name="Work 10", exact=True).press("Enter")
    expect(first).to_have_value("Garden")
    page.goto(f"{site.address}/storage.html")
    expect(page.locator("#other")).to_contain_text("1 label, with its examples · 3 sets with names")


def test_a_browser_that_keeps_nothing_is_told_of_and_loses_no_set(site: Site) -> None:
    page = site.open("classify.html")
    expect(page.get_by_role("button", name="News")).to_be_visible()
    name = page.get_by_role("textbox", name="Name for these labels")
    for title in ("Work", "Garden"):
        name.fill(title)
        name.press("Enter")
        expect(page.locator("#labels-note")).to_contain_text(f"“{title}” is kept")
    page.evaluate("() => { IDBFactory.prototype.open = () => { throw new Error('refused'); }; }")
    name.press("Enter")
    expect(page.locator("#labels-note")).to_contain_text("This browser has no room for the set")
    expect(page.locator("#named-sets li")).to_have_count(2)


@pytest.mark.parametrize(
    ("tag", "name", "english"),
    [("uk", "Оплата", "англійська"), ("pl", "Płatności", "angielski"), ("ru", "Оплата", "английский")],
)
def test_every_language_has_its_sets_and_hears_that_the_model_is_english(
    site: Site, tag: str, name: str, english: str
) -> None:
    page = site.open(f"classify.html?lang={tag}")
    starters = page.locator("#starters button")
    expect(starters).to_have_count(4)
    expect(page.locator("#labels input").first).to_have_value("Billing")  # the set that suits this model
    starters.first.click()
    expect(page.locator("#labels input").first).to_have_value(name)
    expect(page.locator("#language-note")).to_contain_text(english)


def test_labels_go_into_a_file_and_come_back(site: Site) -> None:
    page = site.open("classify.html")
    own_labels(page, Garden="tulips bloom\nroses smell")
    content = saved(page, "Save as a file")
    assert json.loads(content)["labels"] == [{"name": "Garden", "examples": ["tulips bloom", "roses smell"]}]
    page.get_by_role("button", name="News").click()
    choose(page, "#labels-file", "labels.json", content)
    expect(page.get_by_label("Name of the label")).to_have_value("Garden")
    expect(page.get_by_text("2 examples")).to_be_visible()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("[", "labels.json is not JSON"),
        ("null", "not a set of labels"),
        ('{"format": "thistledown-labels", "version": 2, "labels": []}', "not a set of labels"),
        (
            '{"format": "thistledown-labels", "version": 1, "labels": [{"name": "a", "examples": []}, {"name": 1}]}',
            "Label 2 of labels.json",
        ),
        (
            json.dumps(
                {
                    "format": "thistledown-labels",
                    "version": 1,
                    "labels": [{"name": "a", "examples": []}] * 51,
                }
            ),
            "the limit of 50",
        ),
    ],
)
def test_a_file_that_holds_no_labels_changes_nothing(site: Site, content: str, why: str) -> None:
    page = site.open("classify.html")
    expect(page.get_by_label("Name of the label")).to_have_count(4)
    choose(page, "#labels-file", "labels.json", content)
    expect(page.get_by_role("alert")).to_contain_text("This file holds no labels")
    expect(page.get_by_role("alert")).to_contain_text(why)
    expect(page.get_by_label("Name of the label").first).to_have_value("Billing")


def test_a_model_that_was_trained_on_labels_gives_those(site: Site) -> None:
    classes: dict[str, Any] = {
        "fine": [{"label": "joy", "score": 0.9}, {"label": "grief", "score": 0.1}],
        "bad": [{"label": "grief", "score": 0.15}, {"label": "joy", "score": 0.1}],
    }
    page = site.open("classify.html?model=models%2Fmood%2F", [EMBEDDER, CLASSIFIER], classes=classes)
    expect(page.get_by_role("heading", name="Your labels")).to_be_hidden()
    load_model(page)
    page.get_by_label("Text", exact=True).fill("bad")
    expect(given(page)).to_have_text("grief")  # however low its own best score is
    bring_lines(page, "fine", "bad", "fine")
    page.get_by_role("button", name="Give them labels").click()
    expect(page.locator("#rows td:nth-child(2)")).to_have_text(["joy", "grief", "joy"])
    expect(page.get_by_role("button", name="Score")).to_be_visible()
    expect(page.locator("#counts label")).to_have_count(4)


def test_labelled_words_are_marked_in_the_text(site: Site) -> None:
    labels = {"Marie": "B-PER", "Curie": "I-PER", "Anna": "B-PER", "Warsaw": "LOC"}
    page = site.open("classify.html", [TAGGER], labels=labels)
    expect(page.get_by_label("Many texts")).to_be_hidden()
    load_model(page)
    text = "Marie Curie left <b>Warsaw</b>; Anna stayed."
    page.get_by_label("Text", exact=True).fill(text)
    expect(page.locator("mark")).to_have_count(3)
    assert page.locator("mark .mark-text").all_inner_texts() == ["Marie Curie", "Warsaw", "Anna"]
    assert page.locator("#found dt").all_inner_texts() == ["PER", "LOC"]
    assert page.locator("#found dd").first.locator(".value").all_inner_texts() == ["Marie Curie", "Anna"]
    assert page.locator("#marked b").count() == 0
    expect(page.locator("#status")).to_contain_text("3 places are marked.")


def test_a_site_without_such_a_model_says_so(site: Site) -> None:
    page = site.open("classify.html", [WRITER])
    expect(page.get_by_role("heading", name="This site has no model that compares texts")).to_be_visible()
    expect(page.get_by_label("Text", exact=True)).to_be_hidden()


def test_the_landing_page_leads_here(site: Site) -> None:
    page = site.open("index.html", [EMBEDDER, CLASSIFIER, TAGGER])
    links = page.get_by_role("link", name="Classify with it")
    expect(links).to_have_count(3)
    links.first.click()
    expect(page).to_have_url(re.compile(r"/classify\.html\?model=models%2Fminilm%2F$"))
