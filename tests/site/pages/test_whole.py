"""Server, pages and engine together, with hand-made models, up to the network being switched off."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.site.encoder_artifacts import LABELS, reader_artifact, row_of, softmax
from tests.site.engine_artifacts import END, A, B, embedding_artifact, generation_artifact
from tests.site.extraction_artifact import extraction_artifact
from tests.webapp.served import running
from webapp import Settings

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    root = tmp_path_factory.mktemp("models")
    folders = (
        embedding_artifact().write(root / "reader"),
        generation_artifact([A, B, A, END]).write(root / "writer"),
        extraction_artifact("a b").write(root / "finder"),
        reader_artifact("text-classification").write(root / "sorter"),
        reader_artifact("token-classification").write(root / "tagger"),
    )
    with running(Settings(folders=folders)) as client:
        yield str(client.base_url.copy_with(host="localhost"))


def test_search_goes_on_without_a_network(page: "Page", address: str) -> None:
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    page.goto(address)
    expect(page.get_by_text("Runs on this device")).to_have_count(5)
    page.get_by_role("link", name="Search with it").click()
    expect(page.get_by_role("button", name="Load model")).to_be_visible()
    assert not [url for url in fetched if url.endswith(".bin") or "plan." in url]
    page.get_by_label("Your own text").check()
    page.get_by_label("Paste a text").fill("thistle down\n\nfloats far\n\nwind wind")
    page.get_by_role("button", name="Search this text").click()
    page.get_by_role("button", name="Load model").click()
    expect(page.locator("#summary")).to_contain_text("Ready to search 3 passages")
    page.context.set_offline(True)
    page.get_by_role("searchbox").fill("floats far")
    best = page.get_by_role("list", name="Results").get_by_role("listitem").first
    expect(best).to_contain_text("floats far")
    expect(best).to_contain_text("1.00")
    for collection in ("documentation", "Short facts"):
        page.get_by_label(collection).check()
        expect(page.locator("#collection-about")).to_contain_text("passages")
        expect(page.get_by_role("alert")).to_have_count(0)


def test_a_model_writes_until_its_end_token(page: "Page", address: str) -> None:
    page.goto(f"{address}/generate.html")
    page.get_by_role("button", name="Load model").click()
    page.get_by_role("textbox", name="Prompt").fill("a")
    page.get_by_role("button", name="Generate").click()
    expect(page.get_by_role("region", name="Generated text")).to_have_text("aba")
    expect(page.locator("#speed")).to_contain_text("3 tokens")


def test_a_real_engine_feeds_the_extract_page(page: "Page", address: str) -> None:
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    page.goto(f"{address}/extract.html")
    page.get_by_label("Message", exact=True).fill("a b")
    expect(page.get_by_role("button", name="Load model")).to_be_visible()
    assert not [url for url in fetched if url.endswith(".bin") or "plan." in url]
    page.get_by_role("button", name="Extract", exact=True).click()
    expect(page.get_by_role("button", name="Copy JSON")).to_be_visible()
    assert page.locator("#found dd").all_inner_texts() == ["a b", "not in the message"]
    assert page.locator("mark .mark-text").all_inner_texts() == ["a b"]
    expect(page.get_by_role("alert")).to_have_count(0)
    assert all(url.startswith((address, "blob:")) for url in fetched)


def test_a_model_that_was_loaded_is_listed_and_deleted(page: "Page", address: str) -> None:
    page.goto(f"{address}/generate.html")
    page.get_by_role("button", name="Load model").click()
    expect(page.get_by_text("Loaded on this device")).to_be_visible()
    page.goto(f"{address}/storage.html")
    kept = page.locator("#kept-models li")
    expect(kept).to_contain_text("/models/writer/")
    kept.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("No model is kept here.")).to_be_visible()
    page.goto(f"{address}/generate.html")
    expect(page.get_by_role("button", name="Load model")).to_be_visible()
    expect(page.get_by_text("kept here")).to_have_count(0)


def test_texts_get_own_labels_without_a_network_and_nothing_leaves(page: "Page", address: str) -> None:
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    page.goto(f"{address}/classify.html")
    expect(page.get_by_label("Name of the label")).to_have_count(4)
    assert not [url for url in fetched if url.endswith(".bin") or "plan." in url]
    page.get_by_role("button", name="Remove all").click()
    for name in ("thistle down", "floats far"):
        page.get_by_role("button", name="Add a label").click()
        page.keyboard.type(name)
    page.get_by_role("button", name="Load model").click()
    expect(page.get_by_text("Loaded on this device")).to_be_visible(timeout=60_000)
    page.context.set_offline(True)
    page.get_by_label("Text", exact=True).fill("floats far")
    expect(page.locator("#given")).to_have_text("floats far", timeout=30_000)
    expect(page.locator("#ranked .score").first).to_contain_text("1.00")
    page.get_by_label("Many texts").check()
    page.get_by_label("One text a line").fill("thistle down\nfloats far\nthistle down")
    page.get_by_role("button", name="Give them labels").click()
    expect(page.locator("#rows td:nth-child(2)")).to_have_text(["thistle down", "floats far", "thistle down"])
    assert all(url.startswith((address, "blob:")) for url in fetched)


def test_a_real_classifier_labels_texts_and_words(page: "Page", address: str) -> None:
    logits = softmax(row_of("wind", len(LABELS)))
    page.goto(f"{address}/classify.html?model=models/sorter/")
    page.get_by_label("Text", exact=True).fill("wind far")
    page.get_by_role("button", name="Load model").click()
    expect(page.locator("#given")).to_have_text(LABELS[int(logits.argmax())], timeout=60_000)
    expect(page.locator("#ranked .score").first).to_contain_text(f"{logits.max():.2f}")
    page.goto(f"{address}/classify.html?model=models/tagger/")
    page.get_by_label("Text", exact=True).fill("thistle floats far!")
    # Some of it came with the other model.
    page.get_by_role("button", name="Load the rest of the model").click()
    expect(page.locator("#marked")).to_be_visible(timeout=60_000)
    marks = page.locator("mark").all_inner_texts()
    found = {label for mark in marks for label in LABELS if label in mark.casefold()}
    assert found == {
        LABELS[int(row_of(word, len(LABELS)).argmax())] for word in ("thistle", "floats", "far", "!")
    }
