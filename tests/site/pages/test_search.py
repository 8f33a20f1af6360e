"""The Search page: loading, asking, reading on, and what happens when something fails."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.site.pages.conftest import EMBEDDER, Site, catalogue_entry
from tests.site.pages.dropping import drop_file

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.browser

LEAVES = "In autumn a tree withdraws the green chlorophyll"
DOWNLOAD_FAULTS = {
    "NETWORK_FAILED": "The connection failed",
    "OFFLINE": "You are offline",
    "CONNECTION_STALLED": "The connection is silent",
    "SERVER_FAILED": "The server has a fault",
    "ACCESS_DENIED": "The server does not let you have this model",
    "WORKER_FAILED": "The engine did not start, or broke off",
    "FILE_TRUNCATED": "The download ended too early",
    "FILE_CORRUPTED": "The download arrived damaged",
    "FILE_MISSING": "A file of this model is missing on the server",
    "NOT_AN_ARTIFACT": "There is no model at this address",
    "PLAN_INVALID": "The plan of this model is damaged",
    "OUT_OF_MEMORY": "The graphics memory is full",
    "NO_ADAPTER": "The browser found no usable graphics processor",
}


def load_model(page: "Page") -> None:
    page.get_by_role("button", name="Load model").click()
    expect(page.get_by_text("Loaded on this device")).to_be_visible()


def question(page: "Page") -> "Locator":
    return page.get_by_role("searchbox", name="What are you looking for?")


def results(page: "Page") -> "Locator":
    return page.get_by_role("list", name="Results").get_by_role("listitem")


def test_the_whole_flow_by_keyboard(site: Site) -> None:
    page = site.open("search.html")
    expect(page.get_by_role("button", name="Load model (24.3 MB)")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Load model (24.3 MB)")).to_be_focused()
    assert site.calls("load") == []
    page.keyboard.press("Enter")
    expect(question(page)).to_be_focused()
    page.keyboard.type("autumn leaves chlorophyll")
    expect(results(page).first).to_contain_text(LEAVES)
    page.keyboard.press("ArrowDown")
    expect(results(page).first).to_be_focused()
    page.keyboard.press("End")
    expect(results(page).last).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(results(page).nth(8)).to_be_focused()
    page.keyboard.press("Escape")
    expect(question(page)).to_be_focused()


def test_results_come_ranked_and_are_announced(site: Site) -> None:
    page = site.open("search.html")
    load_model(page)
    question(page).fill("bees dancing where flowers are")
    expect(results(page).first).to_contain_text("Bees tell each other")
    scores = [float(text.split()[-1]) for text in page.locator(".score").all_inner_texts()]
    assert len(scores) == 10
    assert scores == sorted(scores, reverse=True)
    expect(page.get_by_role("main")).to_contain_text(re.compile(r"embedded in \d+ ms on your device"))
    expect(page.locator("#status")).to_contain_text("The 10 nearest passages of")


def test_a_question_asked_before_loading_is_answered_after(site: Site) -> None:
    page = site.open("search.html")
    page.get_by_role("button", name="my faucet is leaking").click()
    expect(results(page)).to_have_count(0)
    load_model(page)
    expect(results(page)).to_have_count(10)
    expect(question(page)).to_have_value("my faucet is leaking")


def test_the_newest_question_wins(site: Site) -> None:
    page = site.open("search.html", slow=120)
    load_model(page)
    expect(page.locator("#summary", has_text="Ready to search")).to_be_visible()
    question(page).press_sequentially("honey bacteria spoils water", delay=40)
    expect(results(page).first).to_contain_text("Honey hardly ever spoils")
    question(page).fill("")
    expect(results(page)).to_have_count(0)


def test_questions_are_answered_while_the_texts_are_still_read(site: Site) -> None:
    page = site.open("search.html", slow=300)
    load_model(page)
    question(page).fill("autumn leaves chlorophyll")
    expect(results(page).first).to_contain_text(LEAVES)
    expect(page.locator("#summary")).to_contain_text("read so far")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Read on")).to_be_focused()
    done = len(site.calls("embed"))
    page.wait_for_timeout(700)  # time in which a reader that was not cancelled would go on
    assert len(site.calls("embed")) == done
    page.keyboard.press("Enter")
    expect(page.get_by_role("progressbar", name="Reading the texts")).to_be_visible()


def test_more_like_this_asks_with_the_passage(site: Site) -> None:
    page = site.open("search.html")
    load_model(page)
    question(page).fill("coffee houses")
    first = results(page).first
    passage = first.locator(".text").inner_text()
    first.get_by_role("button", name="More like this").click()
    expect(question(page)).to_have_value(passage)
    expect(results(page)).to_have_count(10)
    expect(results(page).filter(has_text=passage)).to_have_count(0)
    question(page).press_sequentially(" ")
    expect(results(page).filter(has_text=passage)).to_have_count(1)


def test_loading_shows_bytes_and_can_be_cancelled(site: Site) -> None:
    page = site.open("search.html", slow=150)
    page.get_by_role("button", name="Load model").click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.locator("#model")).to_contain_text(re.compile(r"[\d.]+ MB of 22\.7 MB"))
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Load model")).to_be_focused()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_preparing_the_device_shows_no_bytes(site: Site) -> None:
    page = site.open("search.html", compileMs=60_000)
    page.get_by_role("button", name="Load model").click()
    expect(page.locator("#model")).to_contain_text("Preparing the graphics processor…")
    expect(page.locator("#model")).not_to_contain_text("MB of")


def test_a_kept_model_is_read_and_not_downloaded(site: Site) -> None:
    page = site.open("search.html", inspection={"cachedBytes": 22_700_000}, slow=150)
    expect(page.locator("#model")).to_contain_text("already here")
    page.get_by_role("button", name="Load model (already on this device)").click()
    expect(page.locator("#model")).to_contain_text("Reading from this device…")


@pytest.mark.parametrize(
    ("models", "engine", "why"),
    [
        ([], {}, "This site has no model for this page."),
        (None, {}, "The list of models could not be read."),
        ([EMBEDDER], {"inspection": {"ok": False, "code": "NO_ADAPTER"}}, "no usable graphics processor"),
        ([EMBEDDER], {"inspectError": "MANIFEST_INVALID"}, "The description of this model is damaged"),
    ],
)
def test_without_a_model_to_load_the_question_says_why(
    site: Site, page_errors: list[str], models: list[Any] | None, engine: dict[str, Any], why: str
) -> None:
    page = site.open("search.html", models, **engine)
    expect(page.locator("#hint")).to_contain_text(why)
    expect(page.locator("#hint")).not_to_contain_text("Load the model first")
    page_errors.clear()


def test_a_question_that_nothing_answers(site: Site) -> None:
    page = site.open("search.html", kinship=0)
    load_model(page)
    question(page).fill("xy")  # no word of it means anything to the stand-in
    expect(page.locator("#summary")).to_contain_text("Nothing close; the 3 nearest passages of")
    expect(results(page)).to_have_count(3)


def test_on_a_phone_the_question_comes_first_once_it_can_be_answered(site: Site) -> None:
    page = site.open("search.html")
    page.set_viewport_size({"width": 390, "height": 800})
    load_model(page)
    boxes = [page.locator(place).bounding_box() for place in ("#query", "#model")]
    assert boxes[0] is not None
    assert boxes[1] is not None
    assert boxes[0]["y"] < boxes[1]["y"]


def test_every_download_fault_has_its_own_words_and_a_way_on(site: Site) -> None:
    page = site.open("search.html", loadErrors=list(DOWNLOAD_FAULTS))
    page.get_by_role("button", name="Load model").click()
    for code, title in DOWNLOAD_FAULTS.items():
        panel = page.get_by_role("alert")
        expect(panel.get_by_role("heading")).to_have_text(title)
        expect(panel).to_contain_text(code)
        panel.get_by_role("button").click()
    expect(page.get_by_text("Loaded on this device")).to_be_visible()
    expect(page.locator("#summary", has_text="Ready to search")).to_be_visible()


def test_a_lost_device_keeps_the_question(site: Site) -> None:
    page = site.open("search.html", embedErrors={"tides and the moon": "DEVICE_LOST"})
    load_model(page)
    expect(page.locator("#summary", has_text="Ready to search")).to_be_visible()
    question(page).fill("tides and the moon")
    expect(page.get_by_role("alert")).to_contain_text("The graphics processor was reset")
    page.get_by_role("button", name="Load the model again").click()
    expect(results(page).first).to_contain_text("Tides are caused by the gravity")


def test_kept_files_are_named_and_can_be_deleted(site: Site) -> None:
    page = site.open("search.html", inspection={"cachedBytes": 12_000_000})
    expect(page.locator("#model")).to_contain_text("12 MB of it are kept here")
    page.get_by_role("button", name="Delete what is kept").click()
    expect(page.get_by_text("are kept here")).to_have_count(0)
    assert len(site.calls("forget")) == 1


def test_unloading_gives_the_memory_back_and_the_offer_again(site: Site) -> None:
    page = site.open("search.html")
    load_model(page)
    page.get_by_role("button", name="Unload").click()
    expect(page.get_by_role("button", name="Load model")).to_be_focused()
    expect(results(page)).to_have_count(0)


def test_a_software_adapter_is_named_as_the_reason_for_slowness(site: Site) -> None:
    page = site.open("search.html", vendor="google swiftshader")
    load_model(page)
    expect(page.locator("#model")).to_contain_text("computes in software")


def test_the_documentation_can_be_searched(site: Site) -> None:
    page = site.open("search.html")
    load_model(page)
    page.get_by_label("documentation").check()
    question(page).fill("shards tensors offsets alignment")
    expect(results(page).first).to_contain_text(re.compile(r"README\.md|engine\.md"))


def test_own_text_is_shown_as_text_whatever_it_holds(site: Site) -> None:
    hostile = "<img src=x onerror=alert(1)> gardening with hostile markup\n\nAnother paragraph about trains."
    page = site.open("search.html")
    load_model(page)
    page.get_by_label("Your own text").check()
    page.get_by_label("Paste a text").fill(hostile)
    expect(page.locator("#own-note")).to_contain_text("2 passages")
    page.get_by_role("button", name="Search this text").click()
    expect(question(page)).to_be_focused()
    expect(page.locator("#collection-about")).to_be_empty()
    question(page).fill("gardening")
    expect(results(page)).to_have_count(2)
    expect(results(page).first).to_contain_text("<img src=x onerror=alert(1)>")
    assert page.locator("#results img").count() == 0


def test_a_chosen_file_becomes_passages_and_a_picture_does_not(site: Site) -> None:
    page = site.open("search.html")
    page.get_by_label("Your own text").check()
    notes = {
        "name": "notes.md",
        "mimeType": "text/markdown",
        "buffer": b"# Trains\n\nOne.\n\n# Boats\n\nTwo.",
    }
    page.locator("#own-file").set_input_files([notes])  # type: ignore[list-item]
    expect(page.locator("#own-note")).to_contain_text("2 passages")
    more = {"name": "b.txt", "mimeType": "text/plain", "buffer": b"About cheese.\n\nAbout bread."}
    page.locator("#own-file").set_input_files([notes, more])  # type: ignore[list-item]
    expect(page.locator("#own-note")).to_contain_text("4 passages")
    expect(page.get_by_label("Paste a text")).to_have_value(re.compile(r"# notes\.md.*# b\.txt", re.DOTALL))
    picture = {"name": "cat.txt", "mimeType": "text/plain", "buffer": b"\x89PNG\xff\xfe"}
    page.locator("#own-file").set_input_files([picture])  # type: ignore[list-item]
    expect(page.get_by_role("alert")).to_contain_text("This file is not plain text")
    page.locator("#own-file").set_input_files([more])  # type: ignore[list-item]
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_file_that_is_dropped_anywhere_is_taken_and_the_page_stays(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("Of trains.\n\nOf boats.", encoding="utf-8")
    page = site.open("search.html")
    drop_file(page, file, "h1")
    expect(page.get_by_label("Your own text")).to_be_checked()
    expect(page.locator("#own-note")).to_contain_text("2 passages")
    drop_file(page, file, "#own-text")
    expect(page.locator("#own-text")).to_have_value(file.read_text("utf-8"))
    assert page.locator("#own-text.dropping").count() == 0


def test_a_text_that_the_browser_brings_back_can_be_searched(site: Site) -> None:
    page = site.open("search.html")
    page.get_by_label("Your own text").check()
    page.get_by_label("Paste a text").fill("Of trains.\n\nOf boats.")
    page.goto(f"{site.address}/about.html")
    page.go_back()
    expect(page.get_by_label("Paste a text")).to_have_value(re.compile("Of trains"))
    expect(page.locator("#own-note")).to_contain_text("2 passages")
    expect(page.locator("#collection-about")).to_be_empty()
    expect(page.get_by_role("button", name="Search this text")).to_be_enabled()


def test_the_address_chooses_the_model(site: Site) -> None:
    other = catalogue_entry(name="other", title="The other one", languages=["en", "de"])
    page = site.open("search.html?model=models%2Fother%2F", [EMBEDDER, other])
    expect(page.get_by_role("heading", name="The other one")).to_be_visible()
    expect(page.get_by_text("learned from English")).to_have_count(0)
    page.get_by_label("Choose a model").select_option("all-MiniLM-L6-v2, 8\u2011bit")
    expect(page.get_by_role("heading", name="all-MiniLM-L6-v2")).to_be_visible()
    expect(page.get_by_text("learned from English")).to_be_visible()


def test_an_address_without_its_model_says_which_is_shown(site: Site) -> None:
    page = site.open("search.html?model=models%2Fnope%2F")
    expect(page.locator("#model")).to_contain_text("No model for this page was found at models/nope/")
    expect(page.get_by_role("heading", name="all-MiniLM-L6-v2")).to_be_visible()


def test_a_foreign_address_is_never_asked(site: Site) -> None:
    page = site.open("search.html?model=https%3A%2F%2Fevil.example%2F")
    expect(page.get_by_role("heading", name="all-MiniLM-L6-v2")).to_be_visible()
    assert all("evil" not in url for _, url in site.calls("inspect"))


def test_a_site_without_an_embedder_says_so(site: Site) -> None:
    page = site.open("search.html", [])
    expect(page.get_by_role("heading", name="This site has no model that compares texts")).to_be_visible()


def test_what_the_model_has_read_stays_read_for_the_next_visit(site: Site) -> None:
    models = [EMBEDDER | {"sha256": "a" * 64}]
    page = site.open("search.html", models)
    load_model(page)
    expect(page.locator("#summary")).to_contain_text("Ready to search")
    assert len(site.calls("embed")) > 1
    page = site.open("search.html", models)
    load_model(page)
    expect(page.locator("#summary")).to_contain_text("Ready to search")
    assert site.calls("embed") == []
    question(page).fill("autumn leaves chlorophyll")
    expect(results(page).first).to_contain_text(LEAVES)
    page = site.open("search.html", [EMBEDDER | {"sha256": "b" * 64}])
    load_model(page)
    expect(page.locator("#summary")).to_contain_text("Ready to search")
    assert site.calls("embed") != [], "another version of the model reads for itself"


def test_a_long_text_without_line_breaks_is_cut_and_the_page_goes_on(site: Site) -> None:
    """Four megabytes in one paragraph; a browser's segmenter would take gigabytes for it as a whole."""
    page = site.open("search.html")
    page.get_by_label("Your own text").check()
    text = "It rained all day, and nobody came to see the garden. " * 74_000
    file = {"name": "long.txt", "mimeType": "text/plain", "buffer": text.encode()}
    page.locator("#own-file").set_input_files([file])  # type: ignore[list-item]
    expect(page.locator("#own-note")).to_contain_text(re.compile(r"[\d,]+ passages"), timeout=60_000)
    expect(page.get_by_role("button", name="Search this text")).to_be_enabled(timeout=60_000)
