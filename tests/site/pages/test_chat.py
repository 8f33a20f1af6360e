"""The Chat page: asking, stopping, changing what was said, and conversations that stay on the device."""

import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.site.pages.conftest import EMBEDDER, EXTRACTOR, WRITER, Site

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.browser


def opened(site: Site, **engine: Any) -> "Page":
    """The page with a loaded model that answers, a word a token."""
    page = site.open("chat.html", [WRITER], **({"chat": True, "answer": "Thistles are **purple**."} | engine))
    page.get_by_role("button", name="Load model").click()
    expect(page.get_by_text("Loaded on this device")).to_be_visible()
    return page


def send(page: "Page", message: str) -> None:
    page.get_by_role("textbox", name="Your message", exact=True).fill(message)
    page.keyboard.press("Enter")


def messages(page: "Page") -> "Locator":
    return page.locator("#said > li")


def prompts(site: Site) -> list[list[dict[str, str]]]:
    """What the model was given, call by call."""
    return [call[1] for call in site.calls("generate")]


def test_a_message_is_answered_in_markdown_and_the_next_one_tells_what_was_said(site: Site) -> None:
    page = opened(site)
    page.get_by_text("Instructions for the model").first.click()
    page.locator("#system").fill("Answer briefly")
    send(page, "What colour are thistles?")
    expect(messages(page)).to_have_count(2)
    expect(messages(page).last.locator("strong")).to_have_text("purple")
    send(page, "And <b>roses</b>?")
    expect(messages(page)).to_have_count(4)
    expect(messages(page).nth(2)).to_contain_text("And <b>roses</b>?")
    expect(page.locator("#speed")).to_contain_text("tokens a second")
    first, second = prompts(site)
    system = {"role": "system", "content": "Answer briefly"}
    asked = {"role": "user", "content": "What colour are thistles?"}
    assert first == [system, asked]
    assert second == [
        system,
        asked,
        {"role": "assistant", "content": "Thistles are **purple**."},
        {"role": "user", "content": "And <b>roses</b>?"},
    ]


def test_an_empty_message_is_not_sent_and_shift_enter_begins_a_line(site: Site) -> None:
    page = opened(site)
    field = page.get_by_role("textbox", name="Your message", exact=True)
    field.fill("   ")
    page.keyboard.press("Enter")
    assert prompts(site) == []
    field.fill("one")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("two")
    page.keyboard.press("Enter")
    expect(messages(page)).to_have_count(2)
    assert prompts(site)[0][0]["content"] == "one\ntwo"


def test_stop_keeps_what_was_written_and_says_so(site: Site) -> None:
    page = opened(site, answer=None, words="a ", slow=20)
    send(page, "Go on")
    expect(messages(page).last).to_contain_text("a a")
    page.get_by_role("button", name="Stop").focus()
    page.keyboard.press("Enter")
    expect(messages(page).last).to_contain_text("stopped")
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    expect(page.get_by_role("textbox", name="Your message", exact=True)).to_be_focused()


def test_an_answer_can_be_had_anew_and_a_question_changed(site: Site) -> None:
    page = opened(site)
    send(page, "one")
    expect(messages(page)).to_have_count(2)
    send(page, "two")
    expect(messages(page)).to_have_count(4)
    messages(page).last.get_by_role("button", name="Answer again").click()
    expect(messages(page)).to_have_count(4)
    expect(messages(page).last).to_contain_text("purple")
    assert prompts(site)[2] == prompts(site)[1]
    messages(page).first.get_by_role("button", name="Edit").click()
    field = page.get_by_role("textbox", name="Your message, to change")
    expect(field).to_be_focused()
    field.fill("instead")
    page.get_by_role("button", name="Send instead").click()
    expect(messages(page)).to_have_count(2)
    expect(messages(page).first).to_contain_text("instead")
    assert prompts(site)[3] == [{"role": "user", "content": "instead"}]


def test_conversations_stay_until_they_are_deleted(site: Site) -> None:
    page = opened(site)
    send(page, "About thistles")
    expect(messages(page)).to_have_count(2)
    page.get_by_role("button", name="New conversation").click()
    expect(messages(page)).to_have_count(0)
    send(page, "About roses")
    # An answer is kept when it is whole.
    expect(messages(page).last.get_by_role("button", name="Answer again")).to_be_visible()
    page.reload()
    expect(messages(page)).to_have_count(2)
    expect(messages(page).first).to_contain_text("About roses")
    page.get_by_role("button", name="About thistles", exact=True).click()
    expect(messages(page).first).to_contain_text("About thistles")
    page.get_by_role("button", name="Delete “About thistles”").click()
    expect(messages(page)).to_have_count(0)
    expect(page.get_by_role("button", name="About thistles", exact=True)).to_have_count(0)
    page.reload()
    expect(page.get_by_role("button", name="About roses", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="About thistles", exact=True)).to_have_count(0)


def test_a_failure_is_explained_and_the_question_stays(site: Site) -> None:
    page = opened(site, generateErrors=["INPUT_TOO_LONG"])
    send(page, "a long story")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(messages(page)).to_have_count(1)
    send(page, "a short one")
    expect(messages(page).last).to_contain_text("purple")


def test_a_question_changed_while_its_answer_comes_is_the_one_that_is_answered(site: Site) -> None:
    page = opened(site, answer=None, words="a ", slow=20)
    send(page, "one")
    expect(messages(page).last).to_contain_text("a a")
    messages(page).first.get_by_role("button", name="Edit").click()
    page.get_by_role("textbox", name="Your message, to change").fill("instead")
    page.get_by_role("button", name="Send instead").click()
    expect(messages(page).first).to_contain_text("instead")
    while len(prompts(site)) == 1:  # the answer that is there may still be the first one's
        page.wait_for_timeout(20)
    assert prompts(site)[1] == [{"role": "user", "content": "instead"}]
    expect(messages(page).last).to_contain_text("a a a")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_visible()
    said = messages(page).last.locator(".words").inner_text()
    page.reload()
    expect(messages(page).last.locator(".words")).to_have_text(said)


def test_what_was_written_stays_when_another_conversation_is_opened(site: Site) -> None:
    page = opened(site, answer=None, words="a ", slow=20)
    send(page, "one")
    expect(messages(page).last).to_contain_text("a a")
    page.get_by_role("button", name="New conversation").click()
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_visible()
    page.reload()
    expect(messages(page).last).to_contain_text("a a")


def test_without_a_loaded_model_nothing_of_a_conversation_is_taken_back(site: Site) -> None:
    page = opened(site)
    send(page, "one")
    expect(messages(page).last.get_by_role("button", name="Answer again")).to_be_visible()
    page.reload()
    messages(page).last.get_by_role("button", name="Answer again").click()
    expect(page.get_by_role("textbox", name="Your message", exact=True)).to_be_focused()
    expect(page.locator("#hint")).to_have_text("Load the model first.")
    expect(messages(page).last).to_contain_text("purple")
    messages(page).first.get_by_role("button", name="Edit").click()
    page.get_by_role("textbox", name="Your message, to change").fill("instead")
    page.get_by_role("button", name="Send instead").click()
    expect(messages(page).last).to_contain_text("purple")
    expect(page.get_by_role("textbox", name="Your message, to change")).to_have_value("instead")


def test_a_browser_without_room_says_that_the_conversation_is_not_kept(site: Site) -> None:
    session = site.page.context.new_cdp_session(site.page)
    session.send("Storage.overrideQuotaForOrigin", {"origin": site.address, "quotaSize": 1})
    page = opened(site)
    send(page, "one")
    expect(page.locator("#not-kept")).to_be_visible()


def test_a_page_that_is_not_secure_can_chat(site: Site) -> None:
    site.page.add_init_script("delete Crypto.prototype.randomUUID")
    page = opened(site)
    send(page, "one")
    expect(messages(page).last).to_contain_text("purple")


def test_the_share_of_the_context_is_shown(site: Site) -> None:
    page = opened(site)
    expect(page.locator("#context")).to_contain_text(re.compile(r"0 of 512 tokens"))
    send(page, "one")
    expect(page.locator("#context")).to_contain_text(re.compile(r"12 of 512 tokens"))


def test_a_model_that_only_continues_texts_says_where_it_can(site: Site) -> None:
    page = site.open("chat.html", [WRITER])
    page.get_by_role("button", name="Load model").click()
    expect(page.get_by_role("link", name="the Generate page")).to_be_visible()
    expect(page.get_by_role("button", name="Send")).to_be_disabled()


def test_without_a_model_that_talks_the_page_says_how_to_make_one(site: Site) -> None:
    page = site.open("chat.html", [EMBEDDER, EXTRACTOR])
    expect(
        page.get_by_role("heading", name="The model here fills in fields, it does not chat")
    ).to_be_visible()
    expect(page.locator("#model")).to_contain_text("Finder 6M picks fields out of a message")
    expect(page.locator("#model pre")).to_contain_text(
        "serve build/models/minilm build/models/finder build/models/"
    )
    page.locator("#model").get_by_role("link", name="Extract with it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Extract fields")
    page = site.open("chat.html", [EMBEDDER])
    expect(page.get_by_role("heading", name="This site has no model that writes text")).to_be_visible()
    expect(page.locator("#chat")).to_be_hidden()


def test_a_screen_reader_hears_sentences(site: Site) -> None:
    page = opened(site, answer="One sentence. Another one.")
    send(page, "Speak")
    expect(page.locator("#status")).to_contain_text("Another one.")
    assert page.locator("#said").get_attribute("aria-live") is None
