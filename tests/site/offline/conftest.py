"""Fixtures: a served copy of the site, and a visitor whose browser has service workers."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.site.engine_artifacts import embedding_artifact
from tests.site.offline.served_site import ServedSite
from tests.site.pages.conftest import size_report
from webapp import compression

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

PATIENCE = 60  # seconds, for machines that are busy
NewVisitor = Callable[..., "BrowserContext"]

# A worker is ready, and what the first page had before it is kept, too.
KEPT = """async (texts) => {
  const registration = await navigator.serviceWorker.getRegistration();
  if (registration?.active?.state !== 'activated') return false;
  return Boolean(await caches.match(registration.scope + texts, { ignoreSearch: true }));
}"""
WORKERS = (
    "navigator.serviceWorker.getRegistration().then((found) => [found?.active, found?.waiting].map(Boolean))"
)
ENTRIES = """async () => {
  const names = (await caches.keys()).filter((name) => name.startsWith('thistledown-shell'));
  const entries = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
  return entries.flat().map(({ url }) => url);
}"""


@pytest.fixture(scope="module", autouse=True)
def quick_compression() -> Iterator[None]:
    """As well as the server can takes seconds for the whole site, which is not what these tests are about."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compression, "BROTLI_BEST", 1)
        yield


@pytest.fixture
def new_visitor(browser: "Browser") -> Iterator[NewVisitor]:
    """`new_visitor(locale="pl")`: a browser without anything kept."""
    made: list[BrowserContext] = []

    def visitor(**options: str) -> "BrowserContext":
        made.append(browser.new_context(**options))  # type: ignore[arg-type]
        made[-1].set_default_timeout(20_000)
        return made[-1]

    yield visitor
    for context in made:
        context.close()


@pytest.fixture
def visitor(new_visitor: NewVisitor) -> "BrowserContext":
    return new_visitor()


@pytest.fixture(scope="session")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny embedding model with a size report."""
    folder = embedding_artifact().write(tmp_path_factory.mktemp("models") / "reader")
    name = json.loads((folder / "manifest.json").read_text("utf-8"))["name"]
    (folder / "report.json").write_text(json.dumps(size_report(name)), "utf-8")
    return folder


@pytest.fixture(scope="module")
def lasting_site(
    tmp_path_factory: pytest.TempPathFactory, reader: Path, quick_compression: None
) -> Iterator[ServedSite]:
    """One for a module's tests, which may stop it, and change no file."""
    site = ServedSite(tmp_path_factory.mktemp("served") / "site", (reader,))
    site.start()
    yield site
    site.stop()


@pytest.fixture
def served(lasting_site: ServedSite) -> Iterator[ServedSite]:
    lasting_site.sent.clear()
    yield lasting_site
    lasting_site.stop()
    lasting_site.start()


@pytest.fixture
def own_site(tmp_path: Path) -> Iterator[ServedSite]:
    """One that the test may change."""
    site = ServedSite(tmp_path / "site")
    site.start()
    yield site
    site.stop()


def wait_until_kept(page: "Page", texts: str = "app/texts/en.json") -> None:
    """Until the site is on the visitor's device, with these texts."""
    wait_for(page, KEPT, texts)


def wait_for(page: "Page", question: str, argument: object = None) -> None:
    """Until the answer, which may be a promise, is yes."""
    end = time.monotonic() + PATIENCE
    while not page.evaluate(question, argument):
        assert time.monotonic() < end, f"no after {PATIENCE} s: {question}"
        page.wait_for_timeout(50)
