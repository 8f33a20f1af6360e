"""Every state of every page: axe finds nothing, nothing scrolls sideways, targets are large enough, no English is left.

What takes three widths, both themes and all languages is the work of `python -m scripts.look_at_pages`.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from scripts.make_pages import LANGUAGES, PAGES
from tests.conftest import note_errors
from tests.site.pages.conftest import Site
from tests.site.pages.looks import Look
from tests.site.pages.pseudo import SMALL_WHEN_SHORT, english_in, pseudo
from tests.site.pages.states import ALL_KINDS, VISITS, Visit, look

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

POLISH = re.compile(r"/texts/(\w+/)?pl\.json$")
# What a phone of 320 px has room for when its letters are set to 200%; the frame's picture does not grow with them.
NARROWEST = {"width": 160, "height": 640}
BESIDE_MAIN = "(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)(document.querySelector('main'))"
LARGE_LETTERS = "document.documentElement.style.fontSize = '200%'"


@pytest.fixture(scope="module")
def tab_errors() -> list[str]:
    return []


@pytest.fixture(scope="module")
def tab(browser: "Browser", site_address: str, axe: str, tab_errors: list[str]) -> Iterator[Site]:
    """One tab for all visits, with axe in its pages: to open one takes as long as to look at a page."""
    context = browser.new_context(service_workers="block")
    page = context.new_page()
    page.add_init_script(axe)
    page.set_default_timeout(10_000)
    note_errors(page, tab_errors)
    yield Site(page, site_address)
    context.close()


@pytest.fixture
def errors(tab: Site, tab_errors: list[str]) -> Iterator[list[str]]:
    """The tab is a new visitor's; what goes wrong in it fails the test."""
    tab.forget_visitor()
    tab_errors.clear()
    yield tab_errors
    assert tab_errors == []


@pytest.mark.parametrize("visit", VISITS, ids=lambda visit: visit.name)
def test_states_are_accessible_and_fit_where_all_texts_are_others_and_longer(
    tab: Site, errors: list[str], visit: Visit
) -> None:
    tab.page.route(POLISH, lambda route: route.fulfill(json=pseudo()))
    page = tab.open(f"{visit.path}?lang=pl", visit.models, **visit.engine)
    for state, act in visit.states.items():
        act(page)
        assert english_in(page) == [], state
        for each in (Look(320, "light"), Look(1280, "dark")):
            assert each.faults(page) == [], state
            assert page.evaluate(SMALL_WHEN_SHORT) == [], state
    page.unroute(POLISH)
    if visit.models is None:
        errors.clear()


@pytest.mark.parametrize("path", [page.path for page in PAGES])
def test_a_page_with_its_settings_open_is_accessible_and_fits_in_each_language(
    tab: Site, errors: list[str], path: str
) -> None:
    for tag in LANGUAGES:
        page = tab.open(f"{path}?lang={tag}", ALL_KINDS)
        look(page)
        page.locator(".settings summary").click()
        assert Look(320, "dark").faults(page) == [], tag
        if tag == "en":
            assert Look(768, "light").faults(page) == []
            page.set_viewport_size(NARROWEST)  # type: ignore[arg-type]
            assert page.evaluate(BESIDE_MAIN) == 0
        page.evaluate(LARGE_LETTERS)
        assert Look(1280, "light").faults(page) == [], f"{tag}, letters of 200%"
        panel = page.locator(".settings > div").bounding_box()
        assert panel is not None
        assert panel["x"] >= 0
