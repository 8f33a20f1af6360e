"""The first page: what each model costs, whether it runs here, and every way there may be none."""

import re

import pytest
from playwright.sync_api import expect

from exporter.report.site_files import served
from tests.site.pages.conftest import EMBEDDER, SITE, WRITER, Site, catalogue_entry

pytestmark = pytest.mark.browser


def room(free: int) -> str:
    """A script after which the browser has so many bytes left for the site."""
    return f"StorageManager.prototype.estimate = async () => ({{ usage: 100, quota: {free + 100} }})"


def test_a_card_says_what_the_model_costs(site: Site) -> None:
    page = site.open("index.html")
    card = page.get_by_role("article").filter(has_text="all-MiniLM-L6-v2")
    expect(card).to_contain_text("Searches and compares texts by meaning")
    for fact in ("24,301,234 bytes", "22,700,000 bytes", "WebGPU", "English", "apache-2.0"):
        expect(card).to_contain_text(fact)
    expect(card).to_contain_text("Runs on this device")


def test_a_static_host_states_the_unpacked_size(site: Site) -> None:
    page = site.open("index.html", [catalogue_entry(transferBytes={})])
    expect(page.get_by_role("article")).to_contain_text("24,619,340 bytes")


def test_a_model_that_is_kept_costs_nothing(site: Site) -> None:
    page = site.open("index.html", [EMBEDDER], inspection={"cachedBytes": 22_700_000})
    expect(page.get_by_role("article")).to_contain_text("already here")
    expect(page.get_by_role("article")).not_to_contain_text("24.3 MB")


def test_the_time_of_a_download_says_at_which_speed_that_is(site: Site) -> None:
    site.page.add_init_script(
        "Object.defineProperty(Navigator.prototype, 'connection', { get: () => window.connectionDouble })"
    )
    page = site.open("index.html", [EMBEDDER])
    expect(page.get_by_role("article")).to_contain_text("about 4 s at 50 Mb/s")
    site.page.add_init_script("window.connectionDouble = { downlink: 8.05 }")
    page.reload()
    expect(page.get_by_role("article")).to_contain_text("about 25 s at 8.05 Mb/s, as the browser estimates")
    page.evaluate("async () => (await import('/source/app/connection_speed.js')).rememberSpeed(2e6)")
    page.reload()
    expect(page.get_by_role("article")).to_contain_text("about 13 s on this connection")
    assert not [url for url in site.requested if url.endswith(".bin")]


@pytest.mark.parametrize("path", ["index.html", "search.html"])
def test_the_rest_of_a_download_is_what_it_costs(site: Site, path: str) -> None:
    site.page.add_init_script(room(free=5_000_000_000))
    page = site.open(path, [EMBEDDER], inspection={"cachedBytes": 12_000_000})
    price = page.locator(".price")
    expect(price).to_contain_text("10.7 MB the rest of 22.7 MB")
    expect(price).to_contain_text("10.7 MB of 5 GB that are free")


def test_a_full_disk_is_named_before_the_download(site: Site) -> None:
    site.page.add_init_script(room(free=9_000_000))
    page = site.open("index.html", [EMBEDDER])
    expect(page.get_by_role("article")).to_contain_text("only 9 MB free: it runs, but is not kept")


def test_where_the_browser_knows_no_room_none_is_told(site: Site) -> None:
    site.page.add_init_script("Object.defineProperty(Navigator.prototype, 'storage', { value: undefined })")
    page = site.open("index.html", [EMBEDDER])
    expect(page.get_by_role("article")).to_contain_text("Runs on this device")
    expect(page.locator(".price dt")).to_have_text(["Download", "GPU memory"])


def test_a_card_leads_to_the_page_of_its_task(site: Site) -> None:
    page = site.open("index.html")
    page.get_by_role("link", name="Write with it").click()
    expect(page).to_have_url(re.compile(r"/generate\.html\?model=models%2Fgranite%2F$"))
    expect(page.get_by_role("heading", name=WRITER["manifest"]["title"])).to_be_visible()


def test_looking_downloads_no_weights(site: Site) -> None:
    page = site.open("index.html")
    expect(page.get_by_text("Runs on this device")).to_have_count(2)
    assert site.calls("load") == []
    assert not [path for path in site.requested if path.endswith((".bin", ".onnx"))]


def test_a_refusal_names_the_numbers(site: Site) -> None:
    refusal = {
        "ok": False,
        "code": "NOT_ENOUGH_MEMORY",
        "reason": "Too big.",
        "needed": 403_000_000,
        "available": 200_000_000,
    }
    page = site.open("index.html", [EMBEDDER], inspection=refusal)
    expect(page.get_by_role("article")).to_contain_text("Cannot run here: The model does not fit")
    expect(page.get_by_role("article")).to_contain_text("It needs 403 MB; this device offers 200 MB.")


def test_a_broken_artifact_spoils_only_its_own_card(site: Site) -> None:
    page = site.open("index.html", [EMBEDDER], inspectError="MANIFEST_INVALID")
    expect(page.get_by_role("article")).to_contain_text("The description of this model is damaged")
    expect(page.get_by_role("article")).to_contain_text("24,301,234 bytes")


def test_an_empty_site_names_the_commands_that_fill_it(site: Site) -> None:
    page = site.open("index.html", [])
    expect(page.get_by_role("main")).to_contain_text("This site has no models yet")
    folder = "build/models/minilm"
    commands = [
        f".venv/bin/thistledown {words}" for words in (f"export minilm -o {folder}", f"serve {folder}")
    ]
    expect(page.locator("pre")).to_have_text("\n".join(commands))


def test_a_silent_server_can_be_tried_again(site: Site, page_errors: list[str]) -> None:
    page = site.open("index.html", None)
    panel = page.get_by_role("alert")
    expect(panel).to_contain_text("The server does not answer")
    expect(panel).to_contain_text("thistledown serve")
    site.models = [EMBEDDER]
    panel.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("article")).to_contain_text("Runs on this device")
    assert all("ERR_FAILED" in error for error in page_errors)
    page_errors.clear()


def test_a_task_without_a_page_has_no_link_but_to_its_sizes(site: Site) -> None:
    page = site.open("index.html", [catalogue_entry(task="mind-reading")])
    expect(page.get_by_role("article")).to_contain_text("mind-reading")
    links = page.get_by_role("article").get_by_role("link")
    expect(links).to_have_count(1)
    expect(links).to_have_text("What is in these bytes?")


def test_without_webgpu_the_page_says_what_to_do(site: Site) -> None:
    site.page.add_init_script("delete Navigator.prototype.gpu")
    page = site.open("index.html", inspection={"ok": False, "code": "NO_WEBGPU", "reason": "No WebGPU."})
    notice = page.get_by_role("region", name="This browser does not offer WebGPU")
    for step in ("Chrome or Edge 113", "hardware acceleration", "chrome://gpu"):
        expect(notice).to_contain_text(step)
    expect(page.get_by_text("Cannot run here: This browser has no WebGPU")).to_have_count(2)


ON_PROCESSOR = {"backend": "wasm", "tier": None, "downloadBytes": 28_000_000, "memoryBytes": 90_000_000}


def test_on_the_processor_a_card_says_what_that_costs(site: Site) -> None:
    sizes = {"base": 24_301_234, "f16": 24_301_345, "wasm": 27_954_321}
    page = site.open("index.html", [catalogue_entry(transferBytes=sizes)], inspection=ON_PROCESSOR)
    card = page.get_by_role("article")
    for fact in ("27,954,321 bytes", "about 90 MB", "WebAssembly", "Runs on this device", "slower"):
        expect(card).to_contain_text(fact)
    expect(card).not_to_contain_text("GPU memory")


def test_on_the_processor_a_static_host_states_what_the_engine_counts(site: Site) -> None:
    page = site.open("index.html", [catalogue_entry(transferBytes={})], inspection=ON_PROCESSOR)
    expect(page.get_by_role("article")).to_contain_text("28,000,000 bytes")


def test_an_address_can_say_what_computes(site: Site) -> None:
    page = site.open("index.html?backend=wasm")
    expect(page.get_by_text("Runs on this device")).to_have_count(2)
    assert page.evaluate("globalThis.thistledownBackend") == "wasm"


def test_advice_is_given_once(site: Site) -> None:
    reason = "The browser offers no GPU adapter. Turn on hardware acceleration."
    page = site.open(
        "index.html", [EMBEDDER], inspection={"ok": False, "code": "NO_ADAPTER", "reason": reason}
    )
    expect(page.get_by_text("hardware acceleration")).to_have_count(1)
    expect(page.get_by_text("NO_ADAPTER: The browser offers no GPU adapter.")).to_be_visible()


def test_an_insecure_address_is_named_as_the_cause(site: Site) -> None:
    site.address = "http://models.example"
    for kind in ("*.*", "app/*.js", "app/texts/*.json"):
        site.page.route(
            f"{site.address}/{kind}",
            lambda route: route.fulfill(
                path=served(SITE, route.request.url.removeprefix(f"{site.address}/"))
            ),
        )
    page = site.open("index.html", inspection={"ok": False, "code": "NO_WEBGPU", "reason": "No WebGPU."})
    expect(page.get_by_role("region", name="This page is not opened securely")).to_contain_text("https://")
    expect(page.get_by_text("Cannot run here: This page is not opened securely")).to_have_count(2)
    expect(page.get_by_text("has no WebGPU")).to_have_count(0)
