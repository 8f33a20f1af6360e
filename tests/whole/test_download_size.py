"""What a visit transfers, measured over the DevTools protocol, against the size report."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from exporter.report import measure_artifact
from tests.whole.devtools import Wire

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser


def _search(page: "Page", address: str, folder: Path) -> None:
    """Visits the search page and waits until the model answers."""
    page.goto(f"{address}/search.html?model=models/{folder.name}/")
    page.get_by_label("Your own text").check()
    page.get_by_label("Paste a text").fill("Thistles fly.\n\nStones do not.")
    page.get_by_role("button", name="Search this text").click()
    page.get_by_role("button", name="Load model").click()
    expect(page.locator("#summary")).to_contain_text("Ready to search 2 passages", timeout=240_000)


def test_a_first_visit_costs_what_the_report_says(
    browser: "Browser", address: str, embedders: dict[str, Path]
) -> None:
    folder = embedders["q8"]
    context = browser.new_context()
    try:
        page = context.new_page()
        cold = Wire(context.new_cdp_session(page))
        _search(page, address, folder)
        tier = page.evaluate(
            "(async () => (await import('/engine/index.js')).inspect(location.origin + '/models/"
            f"{folder.name}/'))()"
        )["tier"]
        report = measure_artifact(folder, tier)
        print(f"first visit: {cold.total:,.0f} bytes with headers, report {report.first_visit:,}")
        assert cold.weights > 20e6
        assert cold.total == pytest.approx(report.first_visit, rel=0.01)
        warm_page = context.new_page()
        warm = Wire(context.new_cdp_session(warm_page))
        _search(warm_page, address, folder)
        print(f"repeat visit: {warm.total:,.0f} bytes with headers, {warm.weights:,.0f} of weights")
        assert warm.weights == 0
        assert warm.total < 0.01 * cold.total
    finally:
        context.close()


def test_engine_plan_kernels_and_page_are_light(
    embedders: dict[str, Path], artifact: Callable[..., Path]
) -> None:
    """At most 150 kB brotli, with the tokenizer's code, for every tier."""
    for tier in ("base", "subgroups", "f16"):
        totals = measure_artifact(embedders["q8"], tier).totals
        light = totals["plan and kernels"]["brotli"] + totals["engine and page"]["brotli"]
        assert light <= 150_000


def test_the_report_in_the_artifact_is_what_the_command_measures(embedders: dict[str, Path]) -> None:
    folder = embedders["q4"]
    written, measured = json.loads((folder / "report.json").read_text()), measure_artifact(folder).to_json()
    assert written.keys() == measured.keys()
    for key in ("first_visit", "repeat_visit", "bits_per_weight", "parameters"):
        assert written[key] == measured[key]
    for one, two in zip(written["files"], measured["files"], strict=True):
        assert one == two | {key: None for key in ("gzip", "brotli") if one[key] is None}
        assert one["gzip"] is not None or one["travels"] == one["raw"]
