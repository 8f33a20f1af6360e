"""The pages of site/ as the project's own server serves them, with a stand-in for the engine behind them."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.webapp.served import running
from webapp import Settings

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

HERE = Path(__file__).resolve().parent
SITE = HERE.parents[2] / "site"


def catalogue_entry(**changes: Any) -> dict[str, Any]:
    """One entry of models/catalogue.json: a small embedding model, with `changes` in its manifest."""
    total = {"total": 31_457_280}
    manifest = {
        "name": "minilm",
        "title": "all-MiniLM-L6-v2",
        "task": "sentence-embedding",
        "architecture": "bert",
        "license": "apache-2.0",
        "languages": ["en"],
        "quantization": "q8",
        "parameters": 22_713_216,
        "context": 256,
        "dimensions": 384,
        "plans": {
            "f16": {"features": ["shader-f16"], "memory": total},
            "base": {"features": [], "memory": total},
        },
        "downloadBytes": {"base": 24_619_340, "f16": 24_620_152},
        "transferBytes": {"base": 24_301_234, "f16": 24_301_345},
    } | changes
    return {"url": f"models/{manifest['name']}/", "manifest": manifest}


EMBEDDER = catalogue_entry()
WRITER = catalogue_entry(name="granite", title="Granite 4.0 H 350M", task="text-generation")
CLASSIFIER = catalogue_entry(
    name="mood", title="Mood 4M", task="text-classification", labels=["joy", "grief"], dimensions=None
)
TAGGER = catalogue_entry(
    name="tagger", title="Tagger 4M", task="token-classification", labels=["O", "B-PER"], dimensions=None
)
EXTRACTOR = catalogue_entry(
    name="finder",
    title="Finder 6M",
    task="text-generation",
    languages=["en", "uk", "pl", "ru"],
    extraction={
        "appointment": ["person", "date", "place"],
        "order": ["product", "unit_price", "vat"],
        "<i>tea</i>": ["leaf"],
    },
)


def report_file(file: str, role: str, raw: int, travels: int, *, visit: bool = True) -> dict[str, Any]:
    """A row of report.json."""
    bits = 8.6 if role == "weights" else None
    sizes = {"raw": raw, "gzip": None, "brotli": None, "travels": travels}
    return {"file": file, "role": role, "dtype": "", "bits_per_weight": bits, **sizes, "visit": visit}


def size_report(name: str = "minilm", **changes: Any) -> dict[str, Any]:
    """A report.json: 24,547,000 bytes of a first visit."""
    files = [
        report_file(f"{'a' * 64}.bin", "weights", 24_249_600, 24_249_600),
        report_file("plan.base.json", "plan", 66_365, 6_700),
        report_file("plan.f16.json", "plan", 66_532, 6_800, visit=False),
        report_file("model.onnx", "onnx", 52_354, 52_354, visit=False),
        report_file("tokenizer.json", "tokenizer", 466_247, 148_100),
        report_file("manifest.json", "manifest", 3_326, 1_300),
        report_file("site/engine/index.js", "engine", 268_574, 86_300),
        report_file("site/search.html", "page", 183_957, 55_000),
    ]
    return {
        "format": "thistledown-report",
        "version": 1,
        "name": name,
        "task": "sentence-embedding",
        "quantization": "q8",
        "parameters": 22_564_608,
        "bits_per_weight": 8.597,
        "tier": "base",
        "totals": {},
        "first_visit": 24_547_000,
        "repeat_visit": 0,
        "saved_by_sharing": 0,
        "files": files,
    } | changes


class Site:
    """The site in a page; its list of models and its engine are the test's. `models` None is a server that is down.

    `report` is what reports of models say instead of size_report's; None where there are none.
    """

    def __init__(self, page: "Page", address: str) -> None:
        self.page = page
        self.address = address
        self.models: Sequence[dict[str, Any]] | None = ()
        self.requested: list[str] = []
        page.on("request", lambda request: self.requested.append(request.url))
        page.route("**/engine/index.js", lambda route: route.fulfill(path=HERE / "engine_double.js"))
        page.route("**/models/catalogue.json", self._answer_catalogue)
        page.route("**/models/*/report.json", self._answer_report)
        self.report: dict[str, Any] | None = {}

    def open(
        self, path: str, models: Sequence[dict[str, Any]] | None = (EMBEDDER, WRITER), **engine: Any
    ) -> "Page":
        """Opens `path`; `engine` is what the stand-in does, see engine_double.js."""
        self.models = models
        self.page.add_init_script(f"window.engineDouble = {json.dumps(engine)}")
        self.page.goto(f"{self.address}/{path}")
        return self.page

    def forget_visitor(self) -> None:
        """Leaves the page, and all that it has kept on the device."""
        self.page.goto("about:blank")
        session = self.page.context.new_cdp_session(self.page)
        session.send("Storage.clearDataForOrigin", {"origin": self.address, "storageTypes": "all"})
        session.detach()

    def calls(self, name: str) -> list[list[Any]]:
        """The calls of the engine's function `name` so far."""
        every = self.page.evaluate("window.engineCalls")
        return [call for call in every if call[0] == name]

    def _answer_report(self, route: "Route") -> None:
        if self.report is None:
            return route.fulfill(status=404)
        return route.fulfill(json=size_report(route.request.url.split("/")[-2], **self.report))

    def _answer_catalogue(self, route: "Route") -> None:
        if self.models is None:
            return route.abort()
        catalogue = {"format": "thistledown-catalogue", "version": 1, "models": list(self.models)}
        return route.fulfill(json=catalogue)


@pytest.fixture(scope="session")
def site_address() -> Iterator[str]:
    """Where the project's own server serves the site."""
    with running(Settings()) as client:
        yield str(client.base_url.copy_with(host="localhost"))


@pytest.fixture(autouse=True)
def sources(request: pytest.FixtureRequest) -> None:
    """Modules as they are written, below /source/, for tests of one: pages get scripts that were put together."""
    if "browser" in request.fixturenames:
        page: Page = request.getfixturevalue("page")
        page.route("**/source/**", _answer_source)


def _answer_source(route: "Route") -> None:
    route.fulfill(path=SITE / route.request.url.partition("/source/")[2])


@pytest.fixture
def site(page: "Page", site_address: str) -> Site:
    page.set_default_timeout(10_000)
    return Site(page, site_address)
