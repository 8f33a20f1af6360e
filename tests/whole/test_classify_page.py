"""How well the Classify page sorts texts that its sets to start from have not seen, with the real all-MiniLM-L6-v2."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.webapp.served import running
from webapp import Settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

# Written by hand before anything was measured: twenty texts for each set, and six that belong to neither.
TEXTS = json.loads((Path(__file__).with_name("held_out_texts.json")).read_text("utf-8"))


@pytest.fixture(scope="module")
def tab(browser: "Browser", artifact: Callable[..., Path]) -> "Iterator[Page]":
    """The Classify page with MiniLM loaded and many texts chosen."""
    with running(Settings(folders=(artifact("minilm", quantize="q8"),))) as client:
        context = browser.new_context()
        page = context.new_page()
        page.set_default_timeout(240_000)
        page.goto(f"{client.base_url.copy_with(host='localhost')}/classify.html")
        page.get_by_role("button", name="Load model").click()
        expect(page.get_by_text("Loaded on this device")).to_be_visible(timeout=240_000)
        page.get_by_label("Many texts").check()
        yield page
        context.close()


def labels(page: "Page", starter: str, texts: list[str]) -> tuple[list[str], list[float]]:
    """The nearest label of each text with a set to start from, however far it is, and the similarities."""
    page.get_by_role("button", name=starter).click()
    page.get_by_label("Least similarity").fill("0")
    page.get_by_label("One text a line").fill("\n".join(texts))
    page.get_by_role("button", name="Give them labels").click()
    expect(page.locator("#rows tr")).to_have_count(len(texts), timeout=240_000)
    expect(page.locator("#status")).to_contain_text(f"Done: {len(texts)} texts", timeout=240_000)
    cells = [page.locator(f"#rows td:nth-child({place})").all_inner_texts() for place in (2, 3)]
    return cells[0], [float(score) for score in cells[1]]


@pytest.mark.parametrize(("starter", "name"), [("Support mail", "support"), ("News", "news")])
def test_unseen_texts_get_sensible_labels(tab: "Page", starter: str, name: str) -> None:
    texts, wanted = zip(*TEXTS[name], strict=True)
    given, scores = labels(tab, starter, list(texts))
    right = sum(one == other for one, other in zip(given, wanted, strict=True))
    kept = sum(score >= 0.2 for score in scores)
    print(f"{starter}: {right} of {len(texts)} right; {kept} at least as similar as is usual")
    assert right >= 18
    assert kept >= 17


@pytest.mark.parametrize("starter", ["Support mail", "News"])
def test_texts_about_something_else_are_less_similar_than_is_usual(tab: "Page", starter: str) -> None:
    _, scores = labels(tab, starter, TEXTS["neither"])
    print(f"{starter}: {scores}")
    assert sum(score < 0.2 for score in scores) >= 5
