"""Every state of every page: axe finds nothing, nothing scrolls sideways, targets are large enough."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from scripts.make_pages import PAGES
from tests.site.pages.conftest import CLASSIFIER, EMBEDDER, EXTRACTOR, TAGGER, WRITER, Site

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

RUN_AXE = """async () => (await axe.run(document, { resultTypes: ['violations'] })).violations
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => html + failureSummary).join('; ')}`)"""
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
SMALL_TARGETS = """() => [...document.querySelectorAll('a, button, input, select, textarea, summary')]
    .filter((target) => target.checkVisibility() && !target.matches('.visually-hidden, .skip'))
    .map((target) => ({ target, box: (target.closest('label.choice') ?? target).getBoundingClientRect() }))
    .filter(({ box }) => box.width < 24 || box.height < 24)
    .map(({ target, box }) => `${target.outerHTML} ${box.width}x${box.height}`)"""
KEPT = {"url": "models/minilm/", "title": "MiniLM", "usedAt": 0, "bytes": 22_700_000, "keptBytes": 22_700_000}
FOUND = '{"person": "Ann", "date": "Friday", "place":'
REFUSED = {"ok": False, "code": "NOT_ENOUGH_MEMORY", "reason": "Too big.", "needed": 9e9, "available": 2e9}


def search(page: "Page") -> None:
    page.get_by_role("button", name="Load model").click()
    page.get_by_role("searchbox").fill("bees")
    expect(page.get_by_role("list", name="Results").get_by_role("listitem")).to_have_count(10)


def click_load(page: "Page") -> None:
    page.get_by_role("button", name="Load model").click()
    expect(page.get_by_role("progressbar").or_(page.get_by_role("alert"))).to_be_visible()


def show_own_text(page: "Page") -> None:
    page.get_by_label("Your own text").check()
    page.get_by_label("Paste a text").fill("One.\n\nTwo.")


def generate(page: "Page") -> None:
    page.get_by_role("button", name="Load model").click()
    page.get_by_text("Sampling options").click()
    page.get_by_label("Most tokens").fill("20")
    page.get_by_role("textbox", name="Prompt").fill("Why?")
    page.get_by_role("button", name="Generate").click()
    expect(page.get_by_role("button", name="Copy")).to_be_visible()


def classify_one(page: "Page") -> None:
    page.get_by_role("button", name="Load model").click()
    page.get_by_label("Text", exact=True).fill("Ann charged the payment twice")
    expect(page.locator("#ranked li, mark").first).to_be_visible()
    page.locator("#labels summary").first.click()


def classify_words(page: "Page") -> None:
    page.get_by_role("button", name="Load model").click()
    page.get_by_label("Text", exact=True).fill("Ann charged the payment twice")
    expect(page.locator("mark")).to_be_visible()


def classify_many(page: "Page") -> None:
    page.get_by_label("Many texts").check()
    page.get_by_label("One text a line").fill("The courier\nqq\n" + "payment" * 40)
    page.get_by_role("button", name="Give them labels").click()
    expect(page.locator("#rows tr")).to_have_count(3)
    page.get_by_role("button", name="Text", exact=True).click()


def stop_many(page: "Page") -> None:
    page.get_by_label("Many texts").check()
    page.get_by_label("One text a line").fill("parcel\n" * 400)
    page.get_by_role("button", name="Give them labels").click()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Read on")).to_be_visible()


def choose_table(page: "Page") -> None:
    page.get_by_label("Many texts").check()
    file = {"name": "a.csv", "mimeType": "text/csv", "buffer": b"id,text\n1,parcel"}
    page.locator("#lines-file").set_input_files([file])  # type: ignore[list-item]
    expect(page.get_by_label("Column with the texts")).to_be_visible()
    page.locator("#labels-file").set_input_files([file])  # type: ignore[list-item]
    expect(page.get_by_role("alert")).to_be_visible()


def extract(page: "Page") -> None:
    page.get_by_label("Message", exact=True).fill("Ann comes on Friday, and Friday is long")
    page.get_by_role("button", name="Extract", exact=True).click()
    expect(
        page.get_by_role("button", name="Copy JSON").or_(page.get_by_role("button", name="Stop"))
    ).to_be_visible()
    expect(page.locator("mark")).not_to_have_count(0)


def chat(page: "Page") -> None:
    page.get_by_role("button", name="Load model").click()
    expect(page.get_by_text("Loaded on this device")).to_be_visible()
    page.get_by_label("Your message", exact=True).fill("Why is a thistle so very prickly?")
    page.keyboard.press("Enter")
    expect(page.locator("#said > li")).to_have_count(2)
    expect(page.get_by_role("button", name="Send")).to_be_visible()


def change(page: "Page") -> None:
    chat(page)
    page.get_by_role("button", name="Edit").click()


def pause(page: "Page") -> None:
    click_load(page)
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Go on")).to_be_visible()


def ask_to_delete(page: "Page") -> None:
    page.get_by_role("button", name="Delete all models").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def look(page: "Page") -> None:
    expect(page.locator("[aria-busy]")).to_have_count(0)


TOLD = "# So\n\n- a **b**\n\n| a | b |\n|--|--|\n| long words | and more of them |\n\n```\ncode\n```\n\n[a page](https://e.example)"

STATES: dict[str, tuple[str, list[dict[str, Any]], dict[str, Any], Callable[["Page"], None]]] = {
    "landing": ("index.html", [EMBEDDER, WRITER], {}, look),
    "landing, refused": ("index.html", [EMBEDDER], {"inspection": REFUSED}, look),
    "landing, empty": ("index.html", [], {}, look),
    "search, before loading": ("search.html", [EMBEDDER], {}, look),
    "search, loading": ("search.html", [EMBEDDER], {"slow": 60_000}, click_load),
    "search, paused": ("search.html", [EMBEDDER], {"slow": 400, "kept": [KEPT]}, pause),
    "search, failed": ("search.html", [EMBEDDER], {"loadErrors": ["FILE_TRUNCATED"]}, click_load),
    "search, results": ("search.html", [EMBEDDER], {}, search),
    "search, own text": ("search.html", [EMBEDDER], {}, show_own_text),
    "generate, no model": ("generate.html", [EMBEDDER], {}, look),
    "generate, answered": ("generate.html", [WRITER], {"chat": True}, generate),
    "generate, by fields": ("generate.html", [EXTRACTOR], {"chat": True}, look),
    "chat, no model": ("chat.html", [EMBEDDER], {}, look),
    "chat, answered": ("chat.html", [WRITER], {"chat": True, "answer": TOLD}, chat),
    "chat, changing": ("chat.html", [WRITER], {"chat": True}, change),
    "classify, no model": ("classify.html", [WRITER], {}, look),
    "classify, before loading": ("classify.html", [EMBEDDER], {}, look),
    "classify, one text": ("classify.html", [EMBEDDER], {}, classify_one),
    "classify, many texts": ("classify.html", [EMBEDDER], {"kinship": 0}, classify_many),
    "classify, stopped": ("classify.html", [EMBEDDER], {"slow": 50}, stop_many),
    "classify, a file": ("classify.html", [EMBEDDER], {}, choose_table),
    "classify, by a model": ("classify.html", [CLASSIFIER], {}, classify_many),
    "classify, words": ("classify.html", [TAGGER], {"labels": {"Ann": "B-PER"}}, classify_words),
    "extract, no model": ("extract.html", [WRITER], {}, look),
    "extract, before loading": ("extract.html", [EXTRACTOR], {}, look),
    "extract, writing": (
        "extract.html",
        [EXTRACTOR],
        {"answer": f"{FOUND} " + "x " * 900, "slow": 30},
        extract,
    ),
    "extract, found": ("extract.html", [EXTRACTOR], {"answer": FOUND + ' "Mars"}'}, extract),
    "extract, unfinished": ("extract.html", [EXTRACTOR], {"answer": FOUND}, extract),
    "storage": ("storage.html", [], {"kept": [KEPT, {**KEPT, "title": "all", "keptBytes": 1}]}, look),
    "about": ("about.html", [EMBEDDER, EXTRACTOR], {}, look),
    "storage, empty": ("storage.html", [], {}, look),
    "storage, asking": ("storage.html", [], {"kept": [KEPT, KEPT]}, ask_to_delete),
}


@pytest.mark.parametrize("state", STATES)
def test_state_is_accessible(site: Site, axe: str, state: str) -> None:
    path, models, engine, act = STATES[state]
    page = site.open(path, models, **engine)
    act(page)
    page.evaluate(axe)
    for width, scheme in ((320, "light"), (1280, "dark")):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        assert page.evaluate(RUN_AXE) == [], f"at {width} px, {scheme}"
        assert page.evaluate(SIDEWAYS) == 0, f"at {width} px"
        assert page.evaluate(SMALL_TARGETS) == [], f"at {width} px"


@pytest.mark.parametrize("path", [page.path for page in PAGES])
def test_both_colour_schemes_have_contrast(site: Site, axe: str, path: str) -> None:
    page = site.open(path)
    look(page)
    page.evaluate(axe)
    for width, scheme in ((320, "dark"), (768, "light"), (1280, "light")):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate(RUN_AXE) == [], f"at {width} px, {scheme}"
