"""The Classify page: own labels and a model's, one text and many, files in and out, and what happens when something fails."""

import csv
import io
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.site.pages.conftest import CLASSIFIER, EMBEDDER, TAGGER, WRITER, Site

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.browser

PASTE = """(text) => { const data = new DataTransfer(); data.setData('text/plain', text);
    document.querySelector('#lines').dispatchEvent(
      new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true })); }"""
PAYMENT = "A payment was charged twice; please send the invoice."


def load_model(page: "Page") -> None:
    page.get_by_role("button", name="Load model").click()
    expect(page.get_by_text("Loaded on this device")).to_be_visible()


def given(page: "Page") -> "Locator":
    return page.locator("#given")


def rows(page: "Page") -> "Locator":
    return page.locator("#rows tr")


def column(page: "Page", place: int) -> list[str]:
    return page.locator(f"#rows td:nth-child({place})").all_inner_texts()


def own_labels(page: "Page", **labels: str) -> None:
    """Labels instead of those that are there, each with its examples, one a line."""
    page.get_by_role("button", name="Remove all").click()
    for name, examples in labels.items():
        page.get_by_role("button", name="Add a label").click()
        page.keyboard.type(name)
        page.get_by_label("Examples of it").last.fill(examples)


def bring_lines(page: "Page", *lines: str) -> None:
    page.get_by_label("Many texts").check()
    page.get_by_label("One text a line").fill("\n".join(lines))


def choose(page: "Page", field: str, name: str, content: str | bytes) -> None:
    data = content if isinstance(content, bytes) else content.encode()
    file = {"name": name, "mimeType": "text/plain", "buffer": data}
    page.locator(field).set_input_files([file])  # type: ignore[list-item]


def saved(page: "Page", button: str) -> str:
    with page.expect_download() as download:
        page.get_by_role("button", name=button).click()
    return Path(download.value.path()).read_text("utf-8")


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
    page.wait_for_timeout(400)  # time to be kept
    page = site.open("classify.html")
    expect(page.get_by_label("Name of the label").first).to_have_value("Money")
    expect(page.locator("#least-shown")).to_have_text("0.40")
    page.get_by_role("button", name="Remove all").click()
    page.wait_for_timeout(400)  # time to be forgotten
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
    assert json.loads(content)["labels"] == [
        {"name": "Garden", "examples": ["tulips bloom", "roses smell"]}
    ]
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


def test_many_lines_become_a_table_that_is_counted_chosen_from_and_ordered(site: Site) -> None:
    page = site.open("classify.html", kinship=0)
    page.get_by_label("Least similarity").fill("0.05")
    bring_lines(page, "The courier left the parcel", "qq", PAYMENT, "The courier")
    expect(page.locator("#lines-note")).to_contain_text("4 texts. They stay in this tab.")
    page.get_by_role("button", name="Give them labels").click()
    expect(rows(page)).to_have_count(4)
    expect(page.locator("#status")).to_contain_text("Done: 4 texts were read.")
    assert column(page, 2) == ["Delivery", "None of these", "Billing", "Delivery"]
    chips = [" ".join(text.split()) for text in page.locator("#counts label").all_inner_texts()]
    assert chips == ["All 4", "Billing 1", "Technical problem 0", "Delivery 2", "Praise 0", "None of these 1"]
    page.get_by_role("radio", name="Delivery").check()
    assert column(page, 1) == ["The courier left the parcel", "The courier"]
    page.get_by_role("radio", name="All").check()
    score = page.get_by_role("button", name="Similarity")
    score.click()
    scores = [float(text) for text in column(page, 3)]
    assert scores == sorted(scores, reverse=True)
    expect(page.locator("th[aria-sort]")).to_have_attribute("aria-sort", "descending")
    score.click()
    assert [float(text) for text in column(page, 3)] == scores[::-1]
    score.click()
    assert column(page, 1)[1] == "qq", "the third time the texts stand in their own order"
    page.get_by_role("button", name="Text", exact=True).click()
    assert column(page, 1) == [PAYMENT, "qq", "The courier", "The courier left the parcel"]


def test_other_labels_judge_what_was_read_without_reading_again(site: Site) -> None:
    page = site.open("classify.html", kinship=0)
    page.get_by_label("Least similarity").fill("0.5")
    bring_lines(page, "tulips bloom", "soup boils")
    page.get_by_role("button", name="Give them labels").click()
    expect(rows(page)).to_have_count(2)
    assert column(page, 2) == ["None of these"] * 2
    own_labels(page, Garden="tulips bloom", Kitchen="soup boils")
    expect(page.locator("#rows td:nth-child(2)")).to_have_text(["Garden", "Kitchen"])
    texts = sum(n for _, n in site.calls("embed"))
    page.get_by_label("Name of the label").first.fill("Park")
    expect(page.locator("#rows td:nth-child(2)")).to_have_text(["Park", "Kitchen"])
    assert sum(n for _, n in site.calls("embed")) <= texts + 2, "only names are new"


def test_files_hold_what_the_table_shows_and_no_formula(site: Site) -> None:
    lines = ['=HYPERLINK("x")', "+1 courier", "-parcel", "@tulips", 'Say "parcel", please; now']
    page = site.open("classify.html", kinship=0.01)
    bring_lines(page, *lines)
    page.get_by_label("Least similarity").fill("0")
    page.get_by_role("button", name="Give them labels").click()
    expect(rows(page)).to_have_count(5)
    content = saved(page, "Save as CSV")
    assert content.startswith("\ufefftext,label,score")
    table = list(csv.reader(io.StringIO(content.removeprefix("\ufeff"))))
    assert [row[0] for row in table[1:]] == ["'" + line for line in lines[:4]] + lines[4:]
    assert [row[1] for row in table[1:]] == column(page, 2)
    assert all(re.fullmatch(r"-?\d(\.\d{1,4})?", row[2]) for row in table[1:])
    objects = json.loads(saved(page, "Save as JSON"))
    assert [each["text"] for each in objects] == lines
    assert max(objects[1]["scores"], key=objects[1]["scores"].get) == objects[1]["label"]


@pytest.mark.parametrize(
    ("name", "content", "texts"),
    [
        ("notes.txt", "\ufeffone\r\n\r\n two \n", ["one", "two"]),
        ("t.csv", 'id,text\n1,"a, ""quoted""\ntext"\n2,another one\n', ['a, "quoted"\ntext', "another one"]),
        ("t.csv", "note;x\nfirst text;1\nsecond text;2", ["first text", "second text"]),
        ("t.csv", "just this\nand this", ["just this", "and this"]),
        ("t.jsonl", '{"id": 7, "body": "one"}\n\n{"body": "two", "id": 8}', ["one", "two"]),
        ("t.jsonl", '"one"\n"two"', ["one", "two"]),
    ],
)
def test_a_file_of_any_kind_becomes_texts(site: Site, name: str, content: str, texts: list[str]) -> None:
    page = site.open("classify.html")
    page.get_by_label("Many texts").check()
    choose(page, "#lines-file", name, content)
    expect(page.locator("#file-name")).to_have_text(name)
    page.get_by_role("button", name="Give them labels").click()
    expect(rows(page)).to_have_count(len(texts))
    assert page.locator("#rows .clip").evaluate_all("all => all.map(each => each.textContent)") == texts


def test_another_column_can_be_chosen_and_the_file_put_away(site: Site) -> None:
    page = site.open("classify.html")
    page.get_by_label("Many texts").check()
    choose(page, "#lines-file", "t.csv", "short,long\na,the longest of all\nb,another long one")
    expect(page.get_by_label("Column with the texts")).to_have_value("1")
    expect(page.locator("#lines-note")).to_contain_text("2 texts")
    page.get_by_label("The first row holds").uncheck()
    expect(page.locator("#lines-note")).to_contain_text("3 texts")
    page.get_by_label("Column with the texts").select_option("Column 1")
    page.get_by_role("button", name="Give them labels").click()
    expect(page.locator("#rows .clip")).to_have_text(["short", "a", "b"])
    page.get_by_role("button", name="Put the file away").click()
    expect(page.get_by_label("One text a line")).to_be_focused()


@pytest.mark.parametrize(
    ("name", "content", "title", "why"),
    [
        ("t.csv", 'a,b\nc,"d\ne', "This file is not what its name says", "line 2 of t.csv"),
        ("t.csv", 'a\n"b"c\n', "This file is not what its name says", "line 2 of t.csv"),
        ("t.jsonl", '"a"\n{"b": 1}', "This file is not what its name says", "Line 2 of t.jsonl"),
        ("t.jsonl", "{", "This file is not what its name says", "Line 1 of t.jsonl"),
        ("cat.txt", b"\x89PNG\xff\xfe", "This file is not plain text", "cat.txt is not UTF-8"),
        ("big.txt", b"a\n" * 2_100_000, "This is too large to be read here", "the limit is 4 MB"),
        ("many.txt", b"a\n" * 12_000, "This is too large to be read here", "12,000; the limit is 10,000"),
    ],
)
def test_a_file_that_cannot_be_read_says_where_and_why(
    site: Site, name: str, content: str | bytes, title: str, why: str
) -> None:
    page = site.open("classify.html")
    page.get_by_label("Many texts").check()
    choose(page, "#lines-file", name, content)
    expect(page.get_by_role("alert")).to_contain_text(title)
    expect(page.get_by_role("alert")).to_contain_text(why)


def test_a_dropped_file_is_taken(site: Site) -> None:
    page = site.open("classify.html")
    page.get_by_label("Many texts").check()
    transfer = page.evaluate_handle(
        """() => { const data = new DataTransfer();
        data.items.add(new File(['one\\ntwo'], 'dropped.txt')); return data; }"""
    )
    page.locator("#lines").dispatch_event("drop", {"dataTransfer": transfer})
    expect(page.locator("#file-name")).to_have_text("dropped.txt")
    expect(page.locator("#lines-note")).to_contain_text("2 texts")


def test_thousands_of_lines_can_be_stopped_at_once_and_gone_on_with(site: Site) -> None:
    page = site.open("classify.html", slow=40)
    page.get_by_label("Many texts").check()
    choose(page, "#lines-file", "many.txt", "\n".join(f"parcel number {i}" for i in range(9000)))
    page.get_by_role("button", name="Give them labels").click()
    expect(page.get_by_role("progressbar", name="Reading the texts")).to_be_visible()
    expect(rows(page)).to_have_count(100)
    waited = page.evaluate(
        """() => { const stop = document.querySelector('#reading button'); const startedAt = performance.now();
        stop.click();
        const text = document.querySelector('#reading p').textContent;
        return text.startsWith('Stopped') ? performance.now() - startedAt : Infinity; }"""
    )
    assert waited < 100
    expect(page.get_by_role("button", name="Read on")).to_be_focused()
    done = sum(n for _, n in site.calls("embed"))
    page.wait_for_timeout(300)  # time in which a reader that was not stopped would go on
    assert sum(n for _, n in site.calls("embed")) == done
    page.keyboard.press("Enter")
    expect(page.locator("#counts .count").first).to_have_text("9,000", timeout=60_000)
    page.get_by_role("button", name=re.compile(r"Show 100 more \(100 of 9,000")).click()
    expect(rows(page)).to_have_count(200)
    expect(rows(page).nth(100)).to_be_focused()
    assert column(page, 1)[100] == "parcel number 100"


def test_the_page_does_not_freeze_over_ten_thousand_texts(site: Site) -> None:
    page = site.open("classify.html")
    page.evaluate(
        """() => { window.longest = 0;
        new PerformanceObserver((list) => {
          for (const { duration } of list.getEntries()) window.longest = Math.max(window.longest, duration);
        }).observe({ type: 'longtask' }); }"""
    )
    load_model(page)
    page.get_by_label("Many texts").check()
    page.evaluate(PASTE, "\n".join(f"parcel number {i}" for i in range(10_000)))
    expect(page.locator("#lines-note")).to_contain_text("10,000 texts")
    page.get_by_role("button", name="Give them labels").click()
    expect(page.locator("#counts .count").first).to_have_text("10,000", timeout=60_000)
    page.get_by_label("Name of the label").first.fill("Money")
    page.get_by_label("Least similarity").fill("0.5")
    page.get_by_role("button", name="Text", exact=True).click()
    expect(page.locator("th[aria-sort]")).to_have_count(1)
    longest = page.evaluate("window.longest")
    assert longest < 500, "even where two cores are shared with other work"


def test_a_lost_device_keeps_texts_and_labels(site: Site) -> None:
    page = site.open("classify.html", embedErrors={"tulips": "DEVICE_LOST"})
    load_model(page)
    bring_lines(page, "tulips", "roses")
    page.get_by_role("button", name="Give them labels").click()
    expect(page.get_by_role("alert")).to_contain_text("The graphics processor was reset")
    page.get_by_role("button", name="Load the model again").click()
    expect(page.get_by_text("Loaded on this device")).to_be_visible()
    page.get_by_role("button", name="Read on").click()
    expect(rows(page)).to_have_count(2)


def test_what_is_missing_is_asked_for(site: Site) -> None:
    page = site.open("classify.html")
    page.get_by_label("Many texts").check()
    expect(page.locator("#many-hint")).to_have_text("The first press loads the model.")
    page.get_by_role("button", name="Give them labels").click()
    expect(page.locator("#many-hint")).to_have_text("Bring some texts first.")
    expect(page.get_by_label("One text a line")).to_be_focused()
    page.keyboard.type("parcel")
    page.get_by_role("button", name="Remove all").click()
    page.get_by_role("button", name="Give them labels").click()
    expect(page.locator("#many-hint")).to_have_text("Give a label a name first.")
    expect(page.get_by_role("button", name="Add a label")).to_be_focused()
    assert site.calls("load") == []


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
