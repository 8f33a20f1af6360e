"""The Sizes page: what a model costs a visitor, as its size report says, and every way a report may be none."""

import base64
import hashlib
import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from exporter.report.networks import NETWORKS
from tests.site.pages.conftest import EMBEDDER, SITE, WRITER, Site, catalogue_entry, report_file, size_report

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, Route

EVIL = "<img src=x onerror=alert(1)>"


def weight(role: str, parameters: int, shipped: int) -> dict[str, Any]:
    return {"role": role, "parameters": parameters, "shipped": shipped}


def trip(travels: int, seconds: float) -> dict[str, Any]:
    return {"base": {"travels": travels, "rounds": 1, "predicted_seconds": {"Slow 3G": seconds}}}


# What a whole report says besides; keys that nobody knows are ignored.
WHOLE = {
    "attribution": {
        "by_role": [
            {"name": "mlp", "bytes": 100, "travels": 8_000_000},
            {"name": "embedding", "bytes": 100, "travels": 12_000_000},
            {"name": EVIL, "bytes": 100, "travels": 100},
            {"name": "onnx", "bytes": 100, "travels": 0},
        ]
    },
    "weights": [weight("mlp", 10, 10), weight("mlp", 30, 20), weight("embedding", 8, 8)],
    "tiers": {"f16": {"features": ["shader-f16"], "memory": {"weights": 24_249_600, "total": 26_713_636}}},
    "networks": [{"name": "Slow 3G", "bits_per_second": 400_000, "round_trip": 2, "source": ""}],
    "situations": [
        {"name": "first visit", "note": "", "tiers": trip(24_547_000, 600)},
        {"name": "update", "note": "", "tiers": trip(1_234_567, 1)},
    ],
    "first_result": {
        "what": "embedding",
        "tokens": 128,
        "tiers": {
            "base": {"predicted_seconds": {"phone": {"Slow 3G": 720}, EVIL: {"Slow 3G": 30.41}, "laptop": {}}}
        },
    },
    "columns": [{"anything": [None]}],
}


def part(page: "Page", name: str) -> "Locator":
    return page.locator(".parts li").filter(has=page.get_by_text(name, exact=True).first)


def test_the_networks_are_those_of_the_report() -> None:
    script = (SITE / "app" / "sizes" / "networks.js").read_text("utf-8")
    found = re.findall(r"name: '([^']+)', bitsPerSecond: ([\d_]+)", script)
    assert found
    assert [(name, int(rate)) for name, rate in found] == [
        (net.name, net.bits_per_second) for net in NETWORKS
    ]


@pytest.mark.browser
def test_a_visit_is_told_to_the_byte_and_costs_no_weights(site: Site) -> None:
    page = site.open("sizes.html")
    visits = page.locator(".visits > div")
    expect(visits.nth(0)).to_contain_text("24.5 MB24,547,000 bytes")
    expect(visits.nth(1)).to_contain_text("0 bytes")
    expect(visits.nth(2)).to_contain_text("A new page and engine: at most 141,300 bytes.")
    expect(visits.nth(2)).to_contain_text("A new model: at most 24,405,700 bytes")
    names = page.locator(".parts .name")
    expect(names).to_have_text(["Weights", "Tokenizer", "Engine and page", "Plan and kernels"])
    expect(part(page, "Weights").locator("summary")).to_contain_text("24.2 MB · 99%")
    expect(part(page, "Tokenizer").locator("summary")).to_contain_text("148 kB · < 1%")
    expect(page.locator("#tiers tbody tr")).to_contain_text(["f16", "base"])
    expect(page.locator("#tiers tbody tr").nth(0)).to_contain_text("24,547,100")
    expect(page.locator("#times tbody th")).to_have_text(
        ["Slow 3G", "Fast 3G", "Slow 4G", "Fast 4G", "Wi-Fi", "Fibre"]
    )
    expect(page.locator("#times tbody tr").nth(0)).to_contain_text("about 8 min")
    expect(page.locator("#roles")).to_contain_text("8.6 bits a weight")
    expect(page.locator("#roles pre")).to_contain_text("thistledown report build/models/minilm --format json")
    expect(page.locator("#roles pre")).to_contain_text("mv report.json build/models/minilm/")
    assert not [url for url in site.requested if re.search(r"\.bin|\.onnx|plan\.|engine/", url)]


@pytest.mark.browser
def test_the_files_of_a_part_open_from_the_keyboard(site: Site) -> None:
    page = site.open("sizes.html")
    plan = part(page, "Plan and kernels")
    expect(plan.get_by_role("table")).to_be_hidden()
    plan.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(plan).to_contain_text("8,000 bytes, unpacked 69,691 bytes")
    expect(plan.locator("tbody th")).to_have_text(["plan.base.json", "manifest.json"])
    expect(part(page, "Weights").locator("tbody th")).to_contain_text("aaaaaaaaaaaa….bin")


@pytest.mark.browser
def test_the_connection_of_this_visitor_is_among_the_networks(site: Site) -> None:
    page = site.open("sizes.html")
    page.evaluate("async () => (await import('/source/app/connection_speed.js')).rememberSpeed(2e6)")
    page.reload()
    expect(page.locator("#times tbody tr").last).to_contain_text(
        re.compile("This connection.*16 Mb/s.*about 13 s")
    )


@pytest.mark.browser
def test_a_whole_report_says_more(site: Site) -> None:
    site.report = WHOLE
    page = site.open("sizes.html", [EMBEDDER | {"reportPage": True}])
    roles = page.locator("#roles tbody tr")
    expect(roles).to_have_count(3)
    expect(roles.nth(0)).to_contain_text(re.compile("Embedding.*12 MB.*49%.*8"))
    expect(roles.nth(1).locator("td").last).to_have_text("6")
    expect(roles.nth(2)).to_contain_text(EVIL)
    expect(page.locator(".visits > div").nth(2)).to_contain_text("1.23 MB1,234,567 bytes")
    download, result = page.locator("#times table").all()
    expect(download.locator("tbody tr")).to_have_count(1)
    expect(download.locator("tbody tr")).to_contain_text("about 10 min")
    expect(result.locator("thead th")).to_have_text(["Network", "Phone", EVIL, "Laptop"])
    expect(result.locator("tbody tr > *")).to_have_text(["Slow 3G", "about 12 min", "30.4 s", "–"])
    expect(page.locator("#times .note").last).to_contain_text("128 tokens")
    expect(page.locator("#tiers tbody tr")).to_contain_text("16-bit arithmetic")
    expect(page.locator("#tiers tbody tr")).to_contain_text("weights 24.2 MB")
    expect(page.get_by_role("link", name="The whole report")).to_have_attribute(
        "href", "models/minilm/report.html"
    )


@pytest.mark.browser
def test_a_report_of_another_version_of_the_site_is_called_so(site: Site) -> None:
    page_file, weights = report_file("site/sizes.html", "page", 9000, 3000), 24_544_000
    served = (SITE / "sizes.html").read_bytes()
    content = base64.b64encode(hashlib.sha256(served).digest()[:12]).decode()
    for said in (content, "A" * 16):
        files = [report_file(f"{'a' * 64}.bin", "weights", weights, weights), page_file | {"content": said}]
        site.report = {"files": files}
        page = site.open("sizes.html")
        visit = page.locator(".visits > div").first
        expect(visit).to_contain_text("24,547,000 bytes")
        stale = page.locator("#trouble .notice")
        expect(stale).to_have_count(int(said != content))
        expect(visit).to_contain_text("as this site has them now" if said == content else "as they were when")
    expect(stale).to_contain_text("Page and engine, 3 kB of its first visit, have changed since")
    expect(stale.locator("pre")).to_contain_text("thistledown report build/models/minilm --format json")


@pytest.mark.browser
def test_each_model_has_its_own_and_cards_lead_to_them(site: Site) -> None:
    page = site.open("index.html")
    page.get_by_role("link", name="What is in these bytes? Granite 4.0 H 350M").click()
    models = page.get_by_role("navigation", name="Models on this site")
    expect(models.get_by_role("link")).to_have_count(2)
    expect(models.locator("[aria-current]")).to_have_text("Granite 4.0 H 350M, 8\u2011bit")
    models.get_by_role("link", name="all-MiniLM-L6-v2").click()
    expect(models.locator("[aria-current]")).to_have_text("all-MiniLM-L6-v2, 8\u2011bit")
    expect(page.locator("#report")).to_be_visible()
    assert site.requested.count(f"{site.address}/models/minilm/report.json") == 1
    page.goto(f"{site.address}/sizes.html?model=models%2Fnone%2F")
    expect(page.locator("#model .note")).to_contain_text("models/none/")
    footer = page.get_by_role("navigation", name="About this site")
    expect(footer.get_by_role("link", name="Sizes")).to_have_attribute("aria-current", "page")


NO_REPORT: dict[str, Any] = {
    "no JSON": "{",
    "another format": size_report(format="thistledown"),
    "a later version": size_report(version=2),
    "another model's": size_report("granite"),
    "a null": None,
    "a sum that is wrong": size_report(first_visit=1),
    "a size that is none": size_report(repeat_visit=-1),
    "half a byte": size_report(repeat_visit=0.5),
    "a word for a size": size_report(bits_per_weight="8"),
    "too many files": size_report(files=[report_file("a", "page", 0, 0)] * 5001),
    "a file without a size": size_report(files=[{"file": "a"}]),
    "a name without an end": size_report(tier="a" * 301),
    "roles that are none": size_report(attribution={"by_role": {}}),
    "a result without the tier": size_report(first_result={"tokens": 1, "tiers": {}}),
    "a situation without the tier": size_report(situations=[{"name": "update", "tiers": {}}]),
}


def answering(body: str) -> "Callable[[Route], None]":
    return lambda route: route.fulfill(body=body)


@pytest.mark.browser
def test_a_report_that_is_damaged_is_called_so(site: Site) -> None:
    page = site.page
    for fault, document in NO_REPORT.items():
        body = document if isinstance(document, str) else json.dumps(document)
        page.route("**/minilm/report.json", answering(body))
        site.open("sizes.html", [EMBEDDER])
        notice = page.locator("#trouble .notice")
        expect(notice, fault).to_contain_text("The size report of this model is damaged")
        expect(notice, fault).to_contain_text("models/minilm/report.json")
        expect(page.locator("#report"), fault).to_be_hidden()


@pytest.mark.browser
def test_a_model_without_a_report_and_a_site_without_models_say_what_to_do(
    site: Site, page_errors: list[str]
) -> None:
    site.report = None
    page = site.open("sizes.html")
    notice = page.locator("#trouble .notice")
    expect(notice).to_contain_text("This model has no size report")
    expect(notice).to_contain_text("report build/models/minilm --format json")
    site.open("sizes.html", [])
    expect(page.get_by_text("This site has no models yet")).to_be_visible()
    site.open("sizes.html", None)
    expect(page.get_by_role("alert")).to_contain_text("The server does not answer")
    site.models = [WRITER]
    site.report = {}
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#report")).to_be_visible()
    page.route("**/report.json", lambda route: route.abort())
    page.reload()
    expect(notice).to_contain_text("The server does not answer")
    page.unroute("**/report.json")
    notice.get_by_role("button", name="Try again").click()
    expect(page.locator("#report")).to_be_visible()
    site.requested.clear()
    site.open("sizes.html", [catalogue_entry(title=EVIL)])
    expect(page.get_by_role("link", name=EVIL)).to_be_visible()
    expect(page.get_by_role("link", name="Try the model")).to_be_visible()
    expect(page.get_by_role("link", name="The whole report")).to_have_count(0)
    assert not [url for url in site.requested if url.endswith("report.html")]
    page_errors.clear()
