"""Versions: what an update fetches, who gets it when, and what is left of one that fails."""

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from exporter.report.site_files import served
from scripts.make_pages import LANGUAGES, texts
from tests.site.offline.conftest import ENTRIES, WORKERS, wait_for, wait_until_kept
from tests.site.offline.served_site import ServedSite
from tests.site.pages.looks import RUN_AXE, SIDEWAYS

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

pytestmark = pytest.mark.browser

STYLE = ":root { --version: 2; }"
SCRIPT = "export const VERSION = 2;"
# Read anew by each question: which version of both files this page's worker gives.
VERSIONS = """async () => [
  (await (await fetch('/style.css')).text()).includes('--version: 2'),
  (await (await fetch('/app/frame.js')).text()).includes('VERSION = 2'),
]"""
LOADED = "performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname)"
INSTALLING = "navigator.serviceWorker.getRegistration().then((found) => Boolean(found?.installing))"
OLD, NEW = [False, False], [True, True]
DAMAGE = """async (name) => {
  for (const cache of await caches.keys()) {
    const opened = await caches.open(cache);
    for (const request of await opened.keys())
      if (request.url.includes(name)) await opened.put(request, new Response('half'));
  }
}"""


def first_visit(site: ServedSite, visitor: "BrowserContext") -> "Page":
    page = visitor.new_page()
    page.goto(site.address)
    wait_until_kept(page)
    page.reload()
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    return page


def test_an_update_fetches_what_changed_and_is_taken_when_all_old_pages_are_gone(
    own_site: ServedSite, visitor: "BrowserContext", axe: str
) -> None:
    page = first_visit(own_site, visitor)
    other = visitor.new_page()
    other.goto(f"{own_site.address}/chat.html")
    own_site.sent.clear()
    own_site.edit("style.css", STYLE)
    own_site.edit("app/frame.js", SCRIPT)
    page.reload()
    region = page.get_by_role("region", name="New version")
    expect(region).to_contain_text("A new version of these pages is ready.", timeout=60_000)
    assert sorted(sent.path for sent in own_site.bodies()) == [
        "/app/frame.js",
        "/service_worker.js",
        "/style.css",
    ]
    page.evaluate(axe)
    assert page.evaluate(RUN_AXE) == []
    for old in (page, other):
        assert old.evaluate(VERSIONS) == OLD
    region.get_by_role("button", name="Reload").click()
    expect(region).to_contain_text("One other tab shows the old version.")
    late = visitor.new_page()
    late.goto(f"{own_site.address}/search.html")
    assert late.evaluate(VERSIONS) == OLD, (
        "a page that opens while the new version waits is of the old one, whole"
    )
    late.close()
    other.close()
    region.get_by_role("button", name="Reload").click()
    expect(region).to_be_hidden()
    page.wait_for_function(
        "getComputedStyle(document.documentElement).getPropertyValue('--version').trim() === '2'"
    )
    assert page.evaluate(VERSIONS) == NEW
    assert len(page.evaluate(ENTRIES)) == len({url.partition("?")[0] for url in page.evaluate(ENTRIES)})


def test_the_notice_speaks_the_pages_language_and_can_wait(
    own_site: ServedSite, visitor: "BrowserContext"
) -> None:
    page = first_visit(own_site, visitor)
    own_site.edit("style.css", STYLE)
    page.set_viewport_size({"width": 320, "height": 640})
    for tag in LANGUAGES:
        page.goto(f"{own_site.address}/?lang={tag}")
        region = page.get_by_role("region", name=str(texts(tag)["update"]))
        expect(region).to_contain_text(str(texts(tag)["update.ready"]), timeout=60_000)
        assert page.evaluate(SIDEWAYS) == 0
        region.get_by_role("button", name=str(texts(tag)["update.later"])).click()
        expect(region).to_have_count(0)


def test_an_install_that_is_killed_half_way_leaves_a_working_site_and_goes_on(
    own_site: ServedSite, visitor: "BrowserContext", axe: str
) -> None:
    page = visitor.new_page()
    page.goto(own_site.address)
    page.wait_for_function(
        "navigator.serviceWorker.getRegistration().then((found) => Boolean(found?.installing))"
    )
    own_site.hold_after = 60
    page.wait_for_timeout(4000)
    before = set(page.evaluate(ENTRIES))
    assert 20 < len(before) < 150
    tools = visitor.new_cdp_session(page)
    tools.send("ServiceWorker.enable")
    tools.send("ServiceWorker.stopAllWorkers")
    own_site.release()
    page.goto(f"{own_site.address}/chat.html")
    expect(page.get_by_role("heading", level=1)).to_have_text("Chat")
    assert page.evaluate(WORKERS) == [False, False]
    own_site.sent.clear()
    wait_until_kept(page)
    kept = {url.removeprefix(own_site.address).partition("?")[0] for url in before}
    page_own = set(page.evaluate(LOADED))
    brought = {sent.path for sent in own_site.sent} - page_own
    assert brought
    assert not brought & kept


def test_without_room_the_site_comes_over_the_network(
    own_site: ServedSite, visitor: "BrowserContext"
) -> None:
    page = visitor.new_page()
    tools = visitor.new_cdp_session(page)
    tools.send("Storage.overrideQuotaForOrigin", {"origin": own_site.address, "quotaSize": 100_000})
    page.goto(own_site.address)
    while "/service_worker.js" not in {sent.path for sent in own_site.sent}:
        page.wait_for_timeout(50)
    wait_for(page, f"{INSTALLING}.then((found) => !found)")
    for path in ("", "chat.html", "search.html"):
        page.goto(f"{own_site.address}/{path}")
        expect(page.locator("[aria-busy=true]")).to_have_count(0)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.evaluate(WORKERS) == [False, False]
    tools.send("Storage.overrideQuotaForOrigin", {"origin": own_site.address})
    page.goto(own_site.address)
    wait_until_kept(page)


def test_a_damaged_entry_is_fetched_again_alone(own_site: ServedSite, visitor: "BrowserContext") -> None:
    page = first_visit(own_site, visitor)
    page.evaluate(DAMAGE, "/app/landing.js")
    own_site.sent.clear()
    page.reload()
    expect(page.locator("#models")).not_to_have_attribute("aria-busy", "true")
    assert {sent.path for sent in own_site.sent} <= {
        "/app/landing.js",
        "/service_worker.js",
        "/models/catalogue.json",
    }
    own_site.stop()
    page.reload()
    expect(page.locator("#models")).not_to_have_attribute("aria-busy", "true")
    own_site.start()


@pytest.mark.parametrize("damaged", ["/app/landing.js", "/index.html"])
def test_a_version_that_cannot_be_mended_gives_way_to_the_servers(
    own_site: ServedSite, visitor: "BrowserContext", damaged: str
) -> None:
    """The file is lost, and the server has the next version's in its place."""
    page = first_visit(own_site, visitor)
    page.evaluate(DAMAGE, damaged)
    own_site.edit(damaged[1:], "<!-- 2 -->" if damaged.endswith(".html") else "export const VERSION = 2;")
    own_site.edit("style.css", STYLE)
    page.goto(f"{own_site.address}/index.html")
    if damaged.endswith(".js"):
        page.goto(f"{own_site.address}/index.html")
    expect(page.locator("#models")).not_to_have_attribute("aria-busy", "true")
    assert (
        page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--version').trim()")
        == "2"
    )
    wait_until_kept(page)


def test_a_site_that_has_the_worker_no_more_is_let_go(
    own_site: ServedSite, visitor: "BrowserContext"
) -> None:
    """As on a developer's machine, where the next project has the same address."""
    page = first_visit(own_site, visitor)
    served(own_site.folder, "service_worker.js").unlink()
    own_site.stop()
    own_site.start()
    page.goto(own_site.address)
    wait_for(page, f"{WORKERS}.then((found) => !found.some(Boolean))")
    wait_for(page, f"({ENTRIES})().then((urls) => urls.length === 0)")
    own_site.sent.clear()
    page.goto(own_site.address)
    assert "/" in {sent.path for sent in own_site.sent}
