"""The Storage page: what is kept on the device, how much that is, and deleting it."""

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.site.pages.conftest import EMBEDDER, WRITER, Site

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.browser

WHOLE = {
    "url": "models/minilm/",
    "title": "all-MiniLM-L6-v2",
    "usedAt": "2026-11-20T12:00:00Z",
    "bytes": 24_600_000,
    "keptBytes": 24_600_000,
}
PART = WHOLE | {"url": "models/granite/", "title": "Granite", "bytes": 200_000_000, "keptBytes": 50_000_000}
ESTIMATE = "StorageManager.prototype.estimate = async () => ({ usage: 74_600_000, quota: 10_000_000_000 })"
# What the browser answers to questions about keeping for good; `window.asked` counts them.
LASTING = """window.asked = 0; let lasting = false;
StorageManager.prototype.persisted = async () => lasting;
StorageManager.prototype.persist = async () => { window.asked += 1; return (lasting = %s); };"""

RUNTIME = WHOLE | {"url": "runtime/", "title": "onnxruntime-web 1.2.3"}

# A database that is not there must not be made by looking.
IS_KEPT = """async ([name, store]) => {
  if (!(await indexedDB.databases()).some((each) => each.name === name)) return false;
  const result = (request) => new Promise((resolve) => (request.onsuccess = () => resolve(request.result)));
  const database = await result(indexedDB.open(name));
  const count = await result(database.transaction(store).objectStore(store).count());
  database.close();
  return count > 0;
}"""

# Notes about vectors that are no notes, and vectors that are none.
DAMAGE_VECTORS = """async () => {
  const result = (request) => new Promise((resolve) => (request.onsuccess = () => resolve(request.result)));
  const database = await result(indexedDB.open('thistledown-vectors'));
  const stores = database.transaction(['vectors', 'uses'], 'readwrite');
  const uses = stores.objectStore('uses');
  for (const { key } of await result(uses.getAll())) uses.put({ key, bytes: 'many' });
  await result(stores.objectStore('vectors').put({ vectors: 'none' }, 'another'));
  database.close();
}"""


def opened(site: Site, *kept: dict[str, Any], setup: str = "") -> "Page":
    for script in (ESTIMATE, setup):
        site.page.add_init_script(script)
    return site.open("storage.html", kept=list(kept))


def rows(page: "Page") -> "Locator":
    return page.locator("#kept-models li")


def answer(page: "Page", question: str, button: str) -> None:
    dialog = page.get_by_role("dialog", name=question)
    expect(dialog.get_by_role("button", name="Keep")).to_be_focused()
    dialog.get_by_role("button", name=button).click()
    expect(dialog).to_have_count(0)


def test_models_are_listed_with_size_and_last_use(site: Site) -> None:
    page = opened(site, WHOLE, PART, RUNTIME)
    expect(rows(page).nth(0)).to_contain_text("24.6 MB · last used Nov 20, 2026")
    expect(rows(page).nth(1)).to_contain_text("50 MB of 200 MB; the rest was not downloaded yet")
    program = rows(page).filter(has_text="the program that runs models on the processor")
    expect(program).to_contain_text("onnxruntime-web")
    expect(rows(page).nth(1)).to_contain_text("/models/granite/")
    expect(page.locator("#room")).to_contain_text("74.6 MB of the 10 GB that the browser allows this site")


def test_one_model_is_deleted_after_a_question(site: Site) -> None:
    page = opened(site, WHOLE, PART)
    remove = page.get_by_role("button", name="Delete: Granite")
    remove.click()
    expect(page.get_by_role("dialog")).to_contain_text("This frees 50 MB.")
    answer(page, "Delete “Granite”?", "Keep")
    assert site.calls("forget") == []
    expect(remove).to_be_focused()
    remove.click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert site.calls("forget") == []
    remove.click()
    answer(page, "Delete “Granite”?", "Delete")
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text("all-MiniLM-L6-v2")
    expect(page.get_by_role("status")).to_have_text("“Granite” was deleted.")
    expect(page.get_by_role("heading", name="Models", exact=True)).to_be_focused()
    assert len(site.calls("forget")) == 1
    expect(page.get_by_role("button", name="Delete all models")).to_have_count(0)


def test_all_models_are_deleted_after_one_question(site: Site) -> None:
    page = opened(site, WHOLE, PART)
    page.get_by_role("button", name="Delete all models").click()
    expect(page.get_by_role("dialog")).to_contain_text("This frees 74.6 MB.")
    answer(page, "Delete all models?", "Delete")
    expect(rows(page)).to_have_count(0)
    expect(page.get_by_role("link", name="See the models of this site")).to_be_visible()


@pytest.mark.parametrize("granted", [True, False])
def test_the_browser_is_asked_to_keep_it_only_by_a_click(site: Site, granted: bool) -> None:
    page = opened(site, setup=LASTING % str(granted).lower())
    room = page.locator("#room")
    expect(room).to_contain_text("may delete it when the device runs short")
    assert page.evaluate("window.asked") == 0
    page.get_by_role("button", name="Ask the browser to keep it").click()
    expect(room).to_contain_text("keeps all of it until you" if granted else "did not agree")
    expect(page.get_by_role("heading", name="Room")).to_be_focused()
    expect(page.get_by_role("button", name="Ask the browser")).to_have_count(0 if granted else 1)
    assert page.evaluate("window.asked") == 1


def wait_until_kept(page: "Page", database: str, store: str) -> None:
    """A page is left only when what it keeps behind the visitor's back is written."""
    page.wait_for_function(IS_KEPT, arg=[f"thistledown-{database}", store])


def test_conversations_labels_vectors_and_settings_are_named_and_go(site: Site) -> None:
    page = site.open("chat.html", [WRITER], chat=True, answer="Purple.")
    page.get_by_role("button", name="Load model").click()
    expect(page.locator(".loaded")).to_be_visible()
    page.get_by_role("textbox", name="Your message", exact=True).fill("What colour?")
    page.keyboard.press("Enter")
    expect(page.locator("#said > li")).to_have_count(2)
    wait_until_kept(page, "conversations", "conversations")
    site.models = [EMBEDDER | {"sha256": "a" * 64}]
    page.goto(f"{site.address}/search.html?lang=en")
    page.get_by_role("button", name="Load model").click()
    expect(page.locator("#summary")).to_contain_text("Ready to search")
    wait_until_kept(page, "vectors", "uses")
    page.goto(f"{site.address}/classify.html")
    page.get_by_role("button", name="Add a label").click()
    page.keyboard.type("a label of mine")
    wait_until_kept(page, "labels", "sets")
    page.goto(f"{site.address}/storage.html")
    other = page.locator("#other")
    expect(other.get_by_role("listitem")).to_have_count(4)
    expect(other).to_contain_text("labels, with their examples")
    expect(other).to_contain_text("1 conversation with a model")
    expect(other).to_contain_text("1 collection of texts, as numbers only")
    read = str(other.get_by_text("as numbers only").text_content())
    page.evaluate(DAMAGE_VECTORS)
    page.reload()
    expect(other).to_contain_text(read.replace("1 collection", "2 collections"))
    for title in ("Conversations", "Labels for texts", "Texts that were read for Search", "Settings"):
        page.get_by_role("button", name=f"Delete: {title}").click()
        answer(page, f"Delete “{title}”?", "Delete")
        expect(page.get_by_role("button", name=f"Delete: {title}")).to_have_count(0)
    expect(other).to_have_text("Nothing else is kept.")
    page.reload()
    expect(other).to_have_text("Nothing else is kept.")
    site.models = [WRITER]
    page.goto(f"{site.address}/chat.html")
    expect(page.locator("#chat")).to_be_visible()
    expect(page.locator("#said > li")).to_have_count(0)


@pytest.mark.parametrize(
    "missing",
    [
        "Object.defineProperty(Navigator.prototype, 'storage', { value: undefined })",
        "Object.defineProperty(window, 'indexedDB', { value: undefined })",
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError'); } })",
    ],
)
def test_a_browser_that_keeps_nothing_shows_an_empty_page(site: Site, missing: str) -> None:
    site.page.add_init_script(missing)
    page = site.open("storage.html")
    expect(page.locator("#kept-models")).to_contain_text("No model is kept here.")
    expect(page.locator("#other")).to_have_text("Nothing else is kept.")
    expect(page.locator("[aria-busy]")).to_have_count(0)
    expect(page.get_by_role("alert")).to_have_count(0)
    if "storage'" in missing:
        expect(page.locator("#room")).to_have_text("This browser does not say how much room there is.")


def test_a_failure_is_explained_and_can_be_tried_again(site: Site) -> None:
    page = opened(site, WHOLE | {"url": "http://["})  # what the engine cannot read
    expect(page.get_by_role("alert").get_by_role("button", name="Try again")).to_be_visible()
