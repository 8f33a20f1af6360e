"""The About page, and that what it claims is so."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.site.engine_artifacts import END, A, B, generation_artifact
from tests.site.pages.conftest import EMBEDDER, Site, catalogue_entry
from tests.webapp.served import running
from webapp import Settings

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = generation_artifact([A, B, A, END]).write(tmp_path_factory.mktemp("models") / "writer")
    with running(Settings(folders=(folder,))) as client:
        yield str(client.base_url.copy_with(host="localhost"))


def test_the_licences_of_the_sites_models_are_listed(site: Site) -> None:
    page = site.open("about.html", [EMBEDDER, catalogue_entry(title="<i>Tea</i>", license=None)])
    terms = page.locator("#licence-list")
    expect(terms.locator("dt")).to_have_text(["all-MiniLM-L6-v2", "<i>Tea</i>"])
    expect(terms.locator("dd")).to_have_text(["apache-2.0", "not stated"])


def test_without_a_list_of_models_the_rest_is_there(site: Site, page_errors: list[str]) -> None:
    page = site.open("about.html", None)
    expect(page.get_by_role("heading", name="Licences")).to_be_visible()
    expect(page.get_by_text("Browsers without WebGPU also get onnxruntime-web")).to_contain_text(
        "MIT License"
    )
    expect(page.get_by_text("On this site:")).to_be_hidden()
    page.wait_for_load_state("networkidle")
    page_errors.clear()


@pytest.mark.parametrize("path", ["index.html", "bench/index.html"])
def test_the_footer_leads_to_it_and_to_what_is_kept(site: Site, path: str) -> None:
    page = site.open(path)
    footer = page.get_by_role("navigation", name="About this site")
    footer.get_by_role("link", name="About", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("What runs here, and where")
    expect(footer.get_by_role("link", name="About")).to_have_attribute("aria-current", "page")
    page.get_by_role("link", name="See it, and delete it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Kept on this device")


def test_what_a_visitor_writes_is_in_no_request_and_needs_no_network(page: "Page", address: str) -> None:
    sent: list[str] = []
    page.on("request", lambda request: sent.append(f"{request.url} {request.post_data}"))
    page.goto(f"{address}/generate.html")
    page.get_by_role("button", name="Load model").click()
    expect(page.get_by_text("Loaded on this device")).to_be_visible()
    page.context.set_offline(True)
    before = len(sent)
    page.get_by_role("textbox", name="Prompt").fill("a")
    page.get_by_role("button", name="Generate").click()
    expect(page.get_by_role("region", name="Generated text")).to_have_text("aba")
    assert sent[before:] == []
    assert all(line.startswith((f"{address}/", "blob:")) and line.endswith(" None") for line in sent)
    assert page.context.cookies() == []
