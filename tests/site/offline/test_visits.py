"""Visits behind the first one: without a network, without bodies over the network, and with what has changed."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from scripts.make_pages import PAGES, SITE, text_files, texts
from tests.site.offline.conftest import ENTRIES, NewVisitor, wait_until_kept
from tests.site.offline.served_site import ServedSite
from tests.webapp.test_bundle import static_host
from webapp import write_bundle

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

pytestmark = pytest.mark.browser

# Asked for at every visit, and answered with "not modified": what there is now, and whether there is a new worker.
ASKED_AGAIN = {
    "/service_worker.js",
    "/models/catalogue.json",
    "/models/reader/manifest.json",
    "/models/reader/report.json",
}


def search(page: "Page", address: str, tag: str = "en") -> None:
    """Loads the model, from the network or from what is kept, and finds a text."""
    words = texts(tag)
    page.goto(f"{address}/search.html")
    page.get_by_label(str(words["search.own"])).check()
    page.get_by_label(str(words["search.paste"])).fill("thistle down\n\nfloats far\n\nwind wind")
    page.get_by_role("button", name=str(words["search.use"])).click()
    page.locator(".load").click()
    page.get_by_role("searchbox").fill("floats far")
    best = page.locator("#results li").first
    expect(best).to_contain_text("floats far", timeout=60_000)


def test_after_one_visit_every_page_works_without_a_server(
    served: ServedSite, new_visitor: NewVisitor
) -> None:
    page = new_visitor(locale="pl").new_page()
    search(page, served.address, "pl")
    for path in text_files("pl"):
        wait_until_kept(page, path.relative_to(SITE).as_posix())
    served.stop()
    try:
        for shown in PAGES:
            page.goto(f"{served.address}/{shown.path}")
            expect(page.get_by_role("heading", level=1)).to_have_text(
                str(texts("pl")[f"{shown.name}.heading"])
            )
            expect(page.get_by_role("alert")).to_have_count(0)
        page.goto(f"{served.address}/bench/")
        expect(page.get_by_role("heading", level=1)).to_have_text(str(texts("pl")["bench.heading"]))
        page.goto(f"{served.address}/?lang=en")
        expect(page.get_by_role("article")).to_have_count(1)
        search(page, served.address)
    finally:
        served.start()


def test_a_language_that_was_never_read_is_english_without_a_server(
    served: ServedSite, visitor: "BrowserContext"
) -> None:
    page = visitor.new_page()
    page.goto(served.address)
    wait_until_kept(page)
    served.stop()
    try:
        page.goto(f"{served.address}/?lang=uk")
        expect(page.get_by_role("heading", level=1)).to_have_text(str(texts("en")["index.heading"]))
        expect(page.get_by_text("could not be read")).to_have_count(0)
    finally:
        served.start()


def test_a_repeat_visit_transfers_no_body(served: ServedSite, visitor: "BrowserContext") -> None:
    page = visitor.new_page()
    search(page, served.address)
    wait_until_kept(page)
    page.goto(f"{served.address}/sizes.html")
    expect(page.locator(".visits")).to_contain_text("24,547,000 bytes")
    page.close()
    served.sent.clear()
    again = visitor.new_page()
    for shown in PAGES:
        again.goto(f"{served.address}/{shown.path}")
        again.wait_for_load_state("networkidle")  # leaving a page that still reads costs what it was reading
    search(again, served.address)
    again.wait_for_timeout(2000)  # the browser's own look for a new worker comes after the page
    asked = Counter(sent.path for sent in served.sent)
    print(f"{len(PAGES) + 1} pages again: {dict(asked)}, no body")
    assert served.bodies() == []
    assert asked.keys() <= ASKED_AGAIN
    assert asked["/service_worker.js"] <= 2 * (len(PAGES) + 1)
    served.stop()
    try:
        again.goto(f"{served.address}/sizes.html")
        expect(again.locator(".visits")).to_contain_text("24,547,000 bytes")
    finally:
        served.start()


def test_the_first_page_goes_first(served: ServedSite, visitor: "BrowserContext") -> None:
    page = visitor.new_page()
    page.goto(served.address)
    expect(page.get_by_role("article")).to_have_count(1)
    loaded = page.evaluate(
        "performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname)"
    )
    wait_until_kept(page)
    order = [sent.path for sent in served.sent]
    worker = order.index("/service_worker.js")
    assert {"/style.css", "/app/landing.js", "/app/texts/en.json"} <= set(loaded)
    assert all(order.index(path) < worker for path in loaded)
    twice = [path for path, bodies in Counter(sent.path for sent in served.bodies()).items() if bodies > 1]
    assert twice == [], "what the page has fetched is not fetched again to be kept"
    assert not [sent for sent in served.sent if sent.path.endswith(".bin")]


def test_the_list_of_models_is_the_servers_and_without_it_the_last(
    tmp_path: Path, reader: Path, visitor: "BrowserContext"
) -> None:
    site = ServedSite(tmp_path / "site")
    site.start()
    try:
        page = visitor.new_page()
        page.goto(site.address)
        expect(page.locator("#models .notice")).to_be_visible()
        wait_until_kept(page)
        site.stop()
        site.models = (reader,)
        site.start()
        page.goto(site.address)
        expect(page.get_by_role("article")).to_have_count(1)
    finally:
        site.stop()
    page.goto(site.address)
    expect(page.get_by_role("article")).to_have_count(1)


def test_a_bundle_below_a_path_is_kept_alone(tmp_path: Path, reader: Path, visitor: "BrowserContext") -> None:
    write_bundle([reader], tmp_path / "host" / "below" / "path")
    with static_host(tmp_path / "host") as client:
        address = str(client.base_url.copy_with(host="localhost", path="/below/path/"))
        page = visitor.new_page()
        page.goto(address)
        wait_until_kept(page)
        entries = page.evaluate(ENTRIES)
        assert len(entries) > 60
        assert all(url.startswith(address) for url in entries)
    page.goto(f"{address}chat.html")
    expect(page.get_by_role("heading", level=1)).to_have_text(str(texts("en")["chat.heading"]))
    page.get_by_role("link", name="Models", exact=True).click()
    expect(page.get_by_role("article")).to_have_count(1)
