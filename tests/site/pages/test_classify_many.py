"""Many texts on the Classify page: lines and files in, a table and files out, stopping, and what happens on a fault."""

import csv
import io
import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.site.pages.classify_page import (
    PAYMENT,
    bring_lines,
    choose,
    column,
    load_model,
    own_labels,
    rows,
    saved,
)
from tests.site.pages.conftest import TAGGER, Site
from tests.site.pages.dropping import drop_file

pytestmark = pytest.mark.browser

PASTE = """(text) => { const data = new DataTransfer(); data.setData('text/plain', text);
    document.querySelector('#lines').dispatchEvent(
      new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true })); }"""


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


def test_a_file_that_is_dropped_beside_the_form_is_taken_where_texts_are_sorted(
    site: Site, tmp_path: Path
) -> None:
    file = tmp_path / "dropped.txt"
    file.write_text("one\ntwo", encoding="utf-8")
    page = site.open("classify.html")
    expect(page.get_by_label("One text", exact=True)).to_be_checked()
    drop_file(page, file, "h1")
    expect(page.locator("#file-name")).to_have_text("dropped.txt")
    expect(page.get_by_label("Many texts")).to_be_checked()
    page = site.open("classify.html", [TAGGER])
    expect(page.get_by_role("button", name="Load model")).to_be_visible()
    drop_file(page, file, "h1")
    expect(page.get_by_role("textbox", name="Text")).to_be_visible()
    expect(page.locator("#many")).to_be_hidden()


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
