"""The command that times pages on a slow line."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scripts.loading_time import PAGES, visit
from scripts.play_in_browser import serving
from tests.site.engine_artifacts import embedding_artifact

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser


def test_a_page_is_timed_on_a_line_that_is_really_slow(browser: "Browser", tmp_path: Path) -> None:
    folder = embedding_artifact().write(tmp_path / "reader")
    with serving(folder, sources=False) as address:
        taken = visit(browser, f"{address}search.html", PAGES["search.html"])
        assert visit(browser, f"{address}chat.html", PAGES["chat.html"]) is None
    assert taken is not None
    assert taken > 4 * 165, (
        "the page, its scripts, the list of models and the manifest come one after another"
    )
