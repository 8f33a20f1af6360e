"""The Generate page: streaming, stopping, options, and what a screen reader hears."""

import re
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.site.pages.conftest import EMBEDDER, Site

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser


def start(page: "Page", prompt: str = "Tell me about thistles") -> None:
    page.get_by_role("button", name="Load model").click()
    page.get_by_role("textbox", name="Prompt").fill(prompt)
    page.get_by_role("button", name="Generate").click()


def test_without_a_writing_model_the_page_says_how_to_make_one(site: Site) -> None:
    page = site.open("generate.html", [EMBEDDER])
    expect(page.get_by_role("heading", name="This site has no model that writes text")).to_be_visible()
    expect(page.locator("pre")).to_contain_text("serve build/models/minilm build/models/granite-4.0-h-350m")
    expect(page.get_by_role("textbox", name="Prompt")).to_be_hidden()


def test_text_streams_in_and_is_measured(site: Site) -> None:
    page = site.open("generate.html", slow=5, words="Seeds <b>float</b> away. ")
    page.locator("#max-tokens").evaluate("field => { field.value = 8 }")
    start(page)
    answer = page.get_by_role("region", name="Generated text")
    expect(answer).to_have_text("Seeds <b>float</b> away. " * 2 + "Seeds <b>float</b> ")
    expect(page.locator("#speed")).to_contain_text(
        re.compile(r"8 tokens · first after \d+ ms · [\d.]+ tokens a second")
    )
    assert answer.locator("b").count() == 0


def test_stop_ends_it_and_focus_stays_on_the_same_spot(site: Site) -> None:
    page = site.open("generate.html", slow=20)
    start(page)
    stop = page.get_by_role("button", name="Stop")
    expect(stop).to_be_focused()
    expect(page.get_by_role("region", name="Generated text")).to_contain_text("sentence")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Generate")).to_be_focused()
    expect(page.locator("#speed")).to_contain_text("stopped")
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_screen_reader_hears_sentences_and_not_too_often(site: Site) -> None:
    page = site.open("generate.html", slow=30)
    page.locator("#max-tokens").evaluate("field => { field.value = 512 }")
    page.evaluate("""
        window.heard = [];
        const status = document.getElementById('status');
        new MutationObserver(() => window.heard.push([performance.now(), status.textContent]))
          .observe(status, { childList: true });
    """)
    start(page)
    expect(page.locator("#status")).to_contain_text("Another one!")
    page.wait_for_timeout(2500)  # more than one interval of announcements passes
    page.get_by_role("button", name="Stop").click()
    heard = page.evaluate("window.heard")
    times = [time for time, _ in heard]
    assert all(later - earlier >= 1900 for earlier, later in pairwise(times))
    spoken = [text for _, text in heard if "sentence" in text]
    assert all(re.search(r"[.!]$", text) for text in spoken[:-1])


def test_options_reach_the_engine_and_empty_ones_stay_away(site: Site) -> None:
    page = site.open("generate.html")
    page.get_by_text("Sampling options").click()
    page.get_by_label("Temperature").fill("0.2")
    page.get_by_label("Seed").fill("7")
    page.get_by_label("Most tokens").fill("3")
    start(page, "Once")
    expect(page.get_by_role("button", name="Copy")).to_be_visible()
    ((_, prompt, options),) = site.calls("generate")
    assert prompt == "Once"
    assert options == {"temperature": 0.2, "seed": 7, "maxTokens": 3}


def test_the_options_show_what_the_model_does_by_itself(site: Site) -> None:
    page = site.open("generate.html", generation={"temperature": 0, "topK": 0, "topP": 0.9})
    page.get_by_role("button", name="Load model").click()
    page.get_by_text("Sampling options").click()
    expect(page.get_by_label("Temperature")).to_have_attribute("placeholder", "0 (greedy)")
    expect(page.get_by_label("Top-p")).to_have_attribute("placeholder", "0.9")
    expect(page.locator("#sampling-note")).to_contain_text("a seed, top-k and top-p change nothing")
    page.get_by_label("Temperature").fill("1")
    expect(page.locator("#sampling-note")).to_contain_text("The same seed gives the same text")


@pytest.mark.parametrize(("finish", "said"), [("length", True), ("stop", False)])
def test_an_answer_that_the_limit_cuts_says_so(site: Site, finish: str, said: bool) -> None:
    page = site.open("generate.html", finish=finish)
    page.locator("#max-tokens").evaluate("field => { field.value = 3 }")
    start(page)
    expect(page.get_by_role("button", name="Copy")).to_be_visible()
    assert ("token limit" in page.locator("#speed").inner_text()) == said


def test_without_a_prompt_the_page_asks_for_one(site: Site) -> None:
    page = site.open("generate.html")
    start(page, "  ")
    expect(page.locator("#hint")).to_have_text("Write a prompt first.")
    expect(page.get_by_role("textbox", name="Prompt")).to_be_focused()
    assert site.calls("generate") == []


@pytest.mark.parametrize("phone", [False, True])
def test_the_keyboard_is_named_only_where_there_is_one(
    browser: "Browser", site_address: str, phone: bool
) -> None:
    context = browser.new_context(has_touch=phone, is_mobile=phone, service_workers="block")
    page = Site(context.new_page(), site_address).open("generate.html")
    page.get_by_role("button", name="Load model").click()
    expect(page.get_by_role("button", name="Generate")).to_be_enabled()
    assert ("Ctrl and Enter" in page.locator("#hint").inner_text()) != phone
    context.close()


def test_a_wrong_option_is_shown_even_when_the_options_are_closed(site: Site) -> None:
    page = site.open("generate.html")
    page.locator("#temperature").evaluate("field => { field.value = -1 }")
    start(page)
    expect(page.get_by_label("Temperature")).to_be_visible()
    assert site.calls("generate") == []


def test_a_model_with_a_chat_template_answers_or_continues(site: Site) -> None:
    page = site.open("generate.html", chat=True)
    page.locator("#max-tokens").evaluate("field => { field.value = 2 }")
    start(page, "Why?")
    expect(page.get_by_role("button", name="Copy")).to_be_visible()
    page.get_by_label("Continue the text").check()
    page.get_by_role("textbox", name="Prompt").press("Control+Enter")
    assert [call[1] for call in site.calls("generate")] == [[{"role": "user", "content": "Why?"}], "Why?"]


LIST = "# Why\n\n- **one**\n- <b>two</b>\n"


def test_an_answer_in_markdown_takes_its_form_unless_plain_text_is_wanted(site: Site) -> None:
    page = site.open("generate.html", chat=True, answer=LIST, slow=20)
    start(page)
    answer = page.get_by_role("region", name="Generated text")
    expect(answer.get_by_role("listitem")).to_have_text(["one", "<b>two</b>"])
    expect(answer.locator("strong")).to_have_text("one")
    page.get_by_label("Show as plain text").check()
    expect(answer).to_have_text(LIST)
    page.get_by_role("button", name="Generate").click()
    expect(page.get_by_role("button", name="Copy")).to_be_visible()
    expect(answer).to_have_text(LIST)
    page.get_by_label("Show as plain text").uncheck()
    expect(answer.get_by_role("listitem")).to_have_count(2)


@pytest.mark.parametrize(("mode", "written"), [("chat", "It is so."), ("text", LIST)])
def test_for_a_text_without_marks_or_one_that_goes_on_no_reader_is_fetched(
    site: Site, mode: str, written: str
) -> None:
    page = site.open("generate.html", chat=True, answer=written)
    page.get_by_role("button", name="Load model").click()
    page.locator(f"input[value={mode}]").check()
    page.get_by_role("textbox", name="Prompt").fill("?")
    page.get_by_role("button", name="Generate").click()
    expect(page.get_by_role("region", name="Generated text")).to_have_text(written)
    expect(page.get_by_label("Show as plain text")).to_be_hidden()
    assert [url for url in site.requested if "markdown.js" in url] == []


def test_without_the_reader_of_markdown_the_answer_is_plain(site: Site, page_errors: list[str]) -> None:
    site.page.route("**/app/markdown.js", lambda route: route.abort())
    page = site.open("generate.html", chat=True, answer=LIST)
    with page.expect_console_message(lambda message: "markdown.js" in message.location["url"]):
        start(page)
        expect(page.get_by_role("region", name="Generated text")).to_have_text(LIST)
        expect(page.get_by_role("button", name="Copy")).to_be_visible()
    page_errors.clear()


def test_the_text_can_be_copied(site: Site) -> None:
    page = site.open("generate.html")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("#max-tokens").evaluate("field => { field.value = 4 }")
    start(page)
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "One sentence. Another one! "


def test_a_prompt_that_is_too_long_is_explained(site: Site) -> None:
    page = site.open("generate.html", generateErrors=["INPUT_TOO_LONG"])
    start(page)
    expect(page.get_by_role("alert")).to_contain_text("The text is longer than this model can read")
    expect(page.get_by_role("button", name="Generate")).to_be_visible()
    page.get_by_role("textbox", name="Prompt").fill("A shorter one")
    expect(page.get_by_role("alert")).to_have_count(0)
