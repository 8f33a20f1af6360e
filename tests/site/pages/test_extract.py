"""The Extract page: fields that come one by one, marked in the message, and all that may go wrong with them."""

import json
import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.site.pages.conftest import EMBEDDER, EXTRACTOR, SITE, WRITER, Site

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

MESSAGE = "It is Ann Lee <b>, may I come on Friday?"
ANSWER = '{"person": "Ann Lee <b>", "date": "Friday", "place": null}'
SAMPLES = json.loads((SITE / "passages" / "messages.json").read_text("utf-8"))


# What elements say and the class that colours each, or the swatch in it.
COLOURS = r"""(all) => all.map((each) => {
  const colored = each.querySelector('.swatch') ?? each;
  return [each.textContent.trim(), colored.className.match(/field-\d/)[0]];
})"""


def fill(page: "Page", text: str = MESSAGE) -> None:
    message = page.get_by_label("Message", exact=True)
    # The page brings a message of its own, which must not come in between.
    expect(message).not_to_have_value("")
    message.fill(text)


def press(page: "Page") -> None:
    page.get_by_role("button", name="Extract", exact=True).click()


def wait(page: "Page") -> None:
    expect(page.get_by_role("button", name="Copy JSON")).to_be_visible()


def values(page: "Page") -> list[str]:
    return page.locator("#found dd").all_inner_texts()


def assert_nothing_is_called_done(page: "Page") -> None:
    page.wait_for_timeout(2100)  # announcements are two seconds apart at most
    expect(page.locator("#status")).not_to_contain_text("Done")


def test_the_first_press_loads_the_model_and_fields_come_marked(site: Site) -> None:
    page = site.open("extract.html", [EXTRACTOR], answer=ANSWER)
    fill(page)
    assert site.calls("load") == []
    press(page)
    wait(page)
    assert len(site.calls("load")) == 1
    ((_, asked, options),) = site.calls("generate")
    assert asked == [{"role": "user", "content": f"person, date, place\n{MESSAGE}"}]
    assert options["temperature"] == 0
    assert page.locator("#found dt").all_inner_texts() == ["Person", "Date", "Place"]
    assert values(page) == ["Ann Lee <b>", "Friday", "not in the message"]
    assert page.locator("mark .mark-text").all_inner_texts() == ["Ann Lee <b>", "Friday"]
    assert page.locator("#marked b").count() == 0
    expect(page.locator("#speed")).to_contain_text(re.compile(r"\d+ tokens · first after \d+ ms"))
    expect(page.get_by_role("alert")).to_have_count(0)
    assert all(url.startswith((site.address, "blob:", "data:")) for url in site.requested)


def test_a_value_grows_and_its_field_is_named_when_it_is_pointed_at(site: Site) -> None:
    page = site.open("extract.html", [EXTRACTOR], answer=ANSWER, slow=400)
    fill(page)
    press(page)
    # Looked at in each frame: the expectations of Playwright look once a second, and a field may be over by then.
    page.wait_for_function(
        "() => document.querySelector('#found .writing dd')?.textContent.startsWith('Ann')"
    )
    assert page.locator("mark").count() == 0
    page.wait_for_function("() => document.querySelectorAll('mark').length === 1")
    expect(page.get_by_role("button", name="Stop")).to_be_focused()
    wait(page)
    name = page.locator("mark").nth(1).locator(".mark-name")
    expect(name).to_have_css("opacity", "0")
    page.locator("mark").nth(1).focus()
    expect(name).to_have_css("opacity", "1")
    expect(name).to_have_text("Date")
    page.locator("mark .mark-text").nth(0).hover()
    expect(page.locator("mark").nth(0).locator(".mark-name")).to_have_css("opacity", "1")


def test_stop_ends_it_and_what_was_found_stays(site: Site) -> None:
    page = site.open(
        "extract.html", [EXTRACTOR], answer='{"person": "Ann Lee <b>", "date": "Fri' + " day" * 90, slow=60
    )
    fill(page)
    press(page)
    expect(page.locator("#found .writing dd")).to_have_text(re.compile("^Fri"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Extract", exact=True)).to_be_focused()
    expect(page.locator("#speed")).to_contain_text("stopped")
    assert page.locator("mark .mark-text").all_inner_texts() == ["Ann Lee <b>"]
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.locator("#found .writing")).to_have_count(0)


def test_a_value_that_the_message_does_not_have_is_called_a_mistake(site: Site) -> None:
    page = site.open("extract.html", [EXTRACTOR], answer='{"person": "Anna", "date": "", "colour": "Lee"}')
    fill(page)
    press(page)
    wait(page)
    assert "the model is mistaken" in values(page)[0]
    assert values(page)[1:3] == ["not in the message", ""]
    assert "was not asked for this" in values(page)[3]


@pytest.mark.parametrize(
    "answer", ['{"person": "Ann Lee <b>", "da', '{"person": "Ann Lee <b>", 7}', "I do not know. "]
)
def test_an_answer_that_is_no_json_is_shown_as_it_is(site: Site, answer: str) -> None:
    page = site.open("extract.html", [EXTRACTOR], answer=answer)
    fill(page)
    press(page)
    wait(page)
    expect(page.get_by_role("alert")).to_contain_text("did not write its answer to the end")
    expect(page.get_by_role("alert").locator("pre")).to_have_text(answer)
    assert values(page)[0] == ("Ann Lee <b>" if "Ann" in answer else "")
    assert_nothing_is_called_done(page)
    fill(page, "Another one")
    expect(page.get_by_role("alert")).to_have_count(0)


def test_fields_can_be_switched_off_and_one_must_be_left(site: Site) -> None:
    page = site.open("extract.html", [EXTRACTOR], answer='{"date": "Friday"}')
    fill(page)
    for field in ("Person", "Place", "Date"):
        page.get_by_label(field, exact=True).uncheck()
    press(page)
    expect(page.locator("#hint")).to_have_text("Switch a field on first.")
    page.get_by_label("Date", exact=True).check()
    page.get_by_label("Message", exact=True).press("Control+Enter")
    wait(page)
    assert site.calls("generate")[0][1][0]["content"] == f"date\n{MESSAGE}"


def test_a_field_has_one_colour_wherever_it_stands(site: Site) -> None:
    answer = '{"date": "Friday", "place": null, "person": "Ann Lee"}'
    page = site.open("extract.html", [EXTRACTOR], answer=answer)
    fill(page)
    page.get_by_label("Person", exact=True).uncheck()
    press(page)
    wait(page)
    chips, rows, marks = (
        sorted(page.eval_on_selector_all(where, COLOURS)) for where in ("#fields label", "#found dt", "mark")
    )
    assert rows == chips
    assert marks == [["Date Friday", "field-2"], ["Person Ann Lee", "field-1"]]


@pytest.mark.parametrize("emptied", ["message", "fields"])
def test_a_form_that_is_emptied_while_the_model_comes_is_asked_for(site: Site, emptied: str) -> None:
    page = site.open("extract.html", [EXTRACTOR], answer=ANSWER, compileMs=1500)
    fill(page)
    press(page)
    if emptied == "message":
        fill(page, " ")
    else:
        for field in ("Person", "Place", "Date"):
            page.get_by_label(field, exact=True).uncheck()
    wanted = "Paste a message first." if emptied == "message" else "Switch a field on first."
    expect(page.locator("#hint")).to_have_text(wanted)
    assert len(site.calls("load")) == 1
    assert site.calls("generate") == []
    expect(page.locator("#found")).to_be_hidden()


def test_kinds_bring_their_fields_and_samples(site: Site) -> None:
    page = site.open("extract.html", [EXTRACTOR])
    message = page.get_by_label("Message", exact=True)
    expect(message).to_have_value(SAMPLES["kinds"]["appointment"]["en"])
    page.get_by_role("button", name="Українська").click()
    expect(message).to_have_value(SAMPLES["kinds"]["appointment"]["uk"])
    page.get_by_label("Order").check()
    expect(message).to_have_value(SAMPLES["kinds"]["order"]["uk"])
    assert page.locator("#fields label").all_inner_texts() == ["Product", "Unit price", "VAT"]
    fill(page)
    page.get_by_label("<i>tea</i>").check()
    expect(message).to_have_value(MESSAGE)
    expect(page.get_by_label("Leaf")).to_be_checked()
    expect(page.locator("#samples button")).to_have_count(0)


def test_who_comes_back_finds_the_message_and_its_kind(site: Site) -> None:
    page = site.open("extract.html", [EXTRACTOR])
    fill(page)
    page.get_by_label("Order").check()
    page.goto(f"{site.address}/about.html")
    page.go_back()
    expect(page.get_by_label("Order")).to_be_checked()
    expect(page.get_by_label("Product")).to_be_checked()
    expect(page.get_by_label("Message", exact=True)).to_have_value(MESSAGE)
    assert page.get_by_role("radio", checked=True).count() == 1


def test_without_a_message_the_page_asks_for_one(site: Site) -> None:
    page = site.open("extract.html", [EXTRACTOR])
    expect(page.locator("#samples button")).to_have_count(4)
    fill(page, " \n")
    press(page)
    expect(page.locator("#hint")).to_have_text("Paste a message first.")
    expect(page.get_by_label("Message", exact=True)).to_be_focused()
    assert site.calls("load") == []


def test_the_json_can_be_copied(site: Site) -> None:
    page = site.open("extract.html", [EXTRACTOR], answer=ANSWER)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    fill(page)
    press(page)
    page.get_by_role("button", name="Copy JSON").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert json.loads(page.evaluate("navigator.clipboard.readText()")) == json.loads(ANSWER)


def test_a_screen_reader_hears_fields_as_sentences(site: Site) -> None:
    page = site.open("extract.html", [EXTRACTOR], answer=ANSWER)
    page.get_by_role("button", name="Load model").click()
    expect(page.get_by_label("Message", exact=True)).to_be_focused()
    page.wait_for_timeout(2100)  # the announcement of the model is over
    fill(page)
    press(page)
    expect(page.locator("#status")).to_have_text(
        "Person: Ann Lee <b>. Date: Friday. Place: not in the message. Done: 2 of 3 fields found."
    )


@pytest.mark.parametrize("code", ["INPUT_TOO_LONG", "DEVICE_LOST"])
def test_an_error_is_explained(site: Site, code: str) -> None:
    page = site.open("extract.html", [EXTRACTOR], answer=ANSWER, generateErrors=[code])
    fill(page)
    press(page)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text(f"{code}: the {code} of a test")
    expect(page.locator("#found")).to_be_hidden()
    assert_nothing_is_called_done(page)
    press(page)
    wait(page)
    assert values(page)[1] == "Friday"
    assert len(site.calls("load")) == (2 if code == "DEVICE_LOST" else 1)


def test_a_load_that_fails_can_be_tried_again_by_pressing(site: Site) -> None:
    page = site.open("extract.html", [EXTRACTOR], answer=ANSWER, loadErrors=["FILE_TRUNCATED"])
    fill(page)
    press(page)
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.locator("#hint")).to_contain_text("The first press loads the model.")
    press(page)
    wait(page)


def test_pressing_while_the_model_comes_loads_it_once(site: Site) -> None:
    page = site.open("extract.html", [EXTRACTOR], answer=ANSWER, compileMs=500)
    fill(page)
    page.get_by_role("button", name="Load model").click()
    press(page)
    wait(page)
    assert len(site.calls("load")) == 1


def test_a_device_that_is_too_small_is_told_before_anything(site: Site) -> None:
    refused = {
        "ok": False,
        "code": "NOT_ENOUGH_MEMORY",
        "reason": "Too big.",
        "needed": 9e9,
        "available": 2e9,
    }
    page = site.open("extract.html", [EXTRACTOR], inspection=refused)
    expect(page.get_by_role("button", name="Extract", exact=True)).to_be_disabled()
    expect(page.locator("#hint")).to_contain_text("cannot run here")


def test_without_such_a_model_the_page_says_how_to_make_one(site: Site) -> None:
    page = site.open("extract.html", [EMBEDDER, WRITER])
    expect(page.get_by_role("heading", name="This site has no model that extracts fields")).to_be_visible()
    expect(page.locator("pre")).to_contain_text("-o build/models/extract --quantize q8")


def test_the_first_page_leads_to_it_and_the_generate_page_knows_how_to_ask(site: Site) -> None:
    page = site.open("index.html", [EXTRACTOR, WRITER], chat=True)
    page.get_by_role("link", name="Extract with it: Finder 6M").click()
    expect(page).to_have_url(re.compile(r"extract\.html\?model=models%2Ffinder%2F"))
    page.goto(f"{site.address}/generate.html")
    expect(page.get_by_role("heading", name="Granite 4.0 H 350M")).to_be_visible()
    page.get_by_label("Choose a model").select_option("models/finder/")
    expect(page.get_by_role("heading", name="Finder 6M")).to_be_visible()
    expect(page.get_by_role("textbox", name="Prompt")).to_have_attribute(
        "placeholder", re.compile(r"^person, date, place\n")
    )
    expect(page.get_by_role("link", name="The Extract page")).to_have_attribute("href", re.compile("finder"))


@pytest.mark.parametrize("kind", list(SAMPLES["kinds"]))
def test_there_is_a_sample_in_every_language(kind: str) -> None:
    assert list(SAMPLES["kinds"][kind]) == list(SAMPLES["languages"]) == ["en", "uk", "pl", "ru"]
