"""The bench page with the real engine: it measures, draws, and a link of the result shows the same to somebody else."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.site.engine_artifacts import A, B, embedding_artifact, generation_artifact
from tests.site.pages.test_accessibility import AXE, RUN_AXE, SIDEWAYS, SMALL_TARGETS
from tests.webapp.served import running
from webapp import Settings

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

ROW = {"tokens": 32, "milliseconds": {"thistledown": [10, 12, 11], "onnxruntime-web": [25, 24, 33]}}
RESULT = {
    "model": {"title": "Granite <b>350M</b>", "quantization": "q4"},
    "device": {"vendor": "acme", "architecture": "one", "description": "", "software": True},
    "workloads": [{"name": "prefill 32", **ROW}, {"name": "decode at 4", **ROW}],
}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    root = tmp_path_factory.mktemp("models")
    folders = (
        embedding_artifact().write(root / "reader"),
        generation_artifact([A, B, A, B] * 32).write(root / "writer"),
    )
    with running(Settings(folders=folders)) as client:
        yield str(client.base_url.copy_with(host="localhost"))


def open_file(page: "Page", content: Any) -> None:
    data = json.dumps(content).encode()
    page.locator("#file").set_input_files({"name": "r.json", "mimeType": "application/json", "buffer": data})


@pytest.mark.parametrize("model", ["reader", "writer"])
def test_it_measures_and_its_link_shows_the_same(page: "Page", address: str, model: str) -> None:
    page.goto(f"{address}/bench/")
    page.get_by_label("Model").select_option(f"models/{model}/")
    page.get_by_label("Rounds").select_option("1")
    page.get_by_role("button", name="Measure").click()
    expect(page.locator("#note")).to_have_text("Done.", timeout=60_000)
    shown = page.locator("#drawn").inner_text()
    assert page.get_by_role("img").count() == page.locator("tbody tr").count() > 0
    page.get_by_role("button", name="Copy a link").click()
    expect(page.locator("#shared")).to_contain_text("address of this page")
    link = page.url
    assert "#r=" in link
    page.goto("about:blank")
    page.goto(link)
    expect(page.locator("#result")).to_be_visible()
    assert page.locator("#drawn").inner_text() == shown


def test_a_result_of_the_command_shows_the_peers(page: "Page", address: str) -> None:
    page.goto(f"{address}/bench/")
    open_file(page, RESULT)
    expect(page.locator("#about")).to_contain_text("Granite <b>350M</b> · q4 · on acme one")
    expect(page.locator("#about")).to_contain_text("software adapter")
    expect(page.get_by_role("list", name="Engines").get_by_role("listitem")).to_have_count(2)
    expect(page.get_by_role("row", name="prefill 32")).to_contain_text("2.50 times as long (2.00 to 3.00)")


@pytest.mark.parametrize("fragment", ["#r=", "#r=AAAA", "#r=%%%", "#r=" + "A" * 70_000])
def test_a_broken_link_is_told(page: "Page", address: str, fragment: str) -> None:
    page.goto(f"{address}/bench/{fragment}")
    expect(page.locator("#note")).to_contain_text("did not work")
    expect(page.locator("#result")).to_be_hidden()


@pytest.mark.parametrize("content", [[], {"workloads": []}, {**RESULT, "workloads": [{"milliseconds": 1}]}])
def test_a_file_that_is_no_result_is_told(page: "Page", address: str, content: Any) -> None:
    page.goto(f"{address}/bench/")
    expect(page.locator("#note")).to_contain_text("should rest")
    open_file(page, content)
    expect(page.locator("#note")).to_contain_text("no result")


def test_it_is_accessible_and_fits(page: "Page", address: str) -> None:
    page.goto(f"{address}/bench/")
    open_file(page, RESULT)
    expect(page.locator("#result")).to_be_visible()
    page.evaluate(AXE.read_text(encoding="utf-8"))
    for width, scheme in ((320, "light"), (320, "dark"), (1280, "dark"), (1280, "light")):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        assert page.evaluate(RUN_AXE) == [], f"at {width} px, {scheme}"
        assert page.evaluate(SIDEWAYS) == 0, f"at {width} px"
        assert page.evaluate(SMALL_TARGETS) == [], f"at {width} px"
