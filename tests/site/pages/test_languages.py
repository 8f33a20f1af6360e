"""Language and theme: which one a visitor gets, and how it is switched."""

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from scripts.make_pages import LANGUAGES, texts
from tests.site.pages.conftest import Site

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

pytestmark = pytest.mark.browser

HEADINGS = {tag: str(texts(tag)["index.heading"]) for tag in LANGUAGES}


def heading(page: "Page", tag: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(HEADINGS[tag])
    expect(page.locator("html")).to_have_attribute("lang", tag)


def hold(page: "Page", tag: str) -> list["Route"]:
    """Keeps the texts of a language back; continue what is in the list to let them go."""
    held: list[Route] = []
    page.route(f"**/texts/{tag}.json", lambda route: held.append(route))
    return held


@pytest.mark.parametrize(
    ("locale", "tag"), [("en-GB", "en"), ("uk-UA", "uk"), ("pl", "pl"), ("ru-RU", "ru"), ("fr-FR", "en")]
)
def test_the_browsers_language_is_spoken_where_the_page_knows_it(
    browser: "Browser", site_address: str, locale: str, tag: str
) -> None:
    context = browser.new_context(locale=locale, service_workers="block")
    site = Site(context.new_page(), site_address)
    page = site.open("index.html")
    heading(page, tag)
    expect(page.get_by_role("article")).to_have_count(2)
    fetched = [url.rpartition("/")[2] for url in site.requested if "/texts/" in url]
    assert fetched == [f"{tag}.json"], "only the chosen language is fetched"
    context.close()


@pytest.mark.parametrize(("asked", "tag"), [("pl", "pl"), ("RU-ru", "ru"), ("tlh", "en"), ("../en", "en")])
def test_the_address_goes_before_all_and_is_kept(site: Site, asked: str, tag: str) -> None:
    page = site.open(f"index.html?lang={asked}")
    heading(page, tag)
    page.goto(f"{site.address}/index.html")
    heading(page, tag)


def test_the_language_is_switched_by_keyboard_and_stays(site: Site) -> None:
    page = site.open("search.html?model=models%2Fminilm%2F")
    settings = page.locator("summary", has_text="English")
    settings.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="English")).to_have_attribute("aria-current", "true")
    page.keyboard.press("Escape")
    expect(settings).to_be_focused()
    expect(page.get_by_role("link", name="Polski")).to_be_hidden()
    page.keyboard.press("Enter")
    for _ in range(3):
        page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Polski")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Wyszukiwanie według znaczenia")
    assert "model=models%2Fminilm%2F" in page.url, "what else the address says stays"
    page.get_by_role("link", name="Modele", exact=True).click()
    heading(page, "pl")


def test_the_theme_follows_the_system_until_another_is_chosen(site: Site) -> None:
    def paper() -> str:
        return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))

    page = site.open("index.html")
    page.emulate_media(color_scheme="light")
    light = paper()
    page.emulate_media(color_scheme="dark")
    dark = paper()
    assert light != dark
    page.locator(".settings summary").click()
    expect(page.get_by_label("Like the system")).to_be_checked()
    page.get_by_label("Light").check()
    assert paper() == light
    page.goto(f"{site.address}/bench/")
    assert paper() == light, "it is kept for all pages"
    page.emulate_media(color_scheme="light")
    page.locator(".settings summary").click()
    expect(page.get_by_label("Light")).to_be_checked()
    page.get_by_label("Dark").check()
    assert paper() == dark
    page.get_by_role("heading", level=1).click()
    expect(page.get_by_label("Dark")).to_be_hidden()


def test_a_page_is_not_seen_in_another_language_first(site: Site) -> None:
    held = hold(site.page, "uk")
    site.page.clock.install()
    page = site.open("index.html?lang=uk")
    expect(page.locator("body")).to_have_css("visibility", "hidden")
    held[0].continue_()
    heading(page, "uk")
    expect(page.locator("body")).to_have_css("visibility", "visible")


def test_english_waits_for_nothing_and_others_not_for_ever(site: Site) -> None:
    for tag in ("en", "uk"):
        hold(site.page, tag)
    site.page.clock.install()
    page = site.open("index.html")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.goto(f"{site.address}/index.html?lang=uk")
    expect(page.get_by_role("heading", level=1)).to_be_hidden()
    page.clock.run_for(4000)
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_without_the_file_of_a_language_the_page_is_english(site: Site, page_errors: list[str]) -> None:
    site.page.route("**/texts/ru.json", lambda route: route.abort())
    page = site.open("index.html?lang=ru")
    heading(page, "en")
    expect(page.get_by_role("article")).to_have_count(2)
    page_errors.clear()


def test_without_any_words_the_page_says_so(site: Site, page_errors: list[str]) -> None:
    site.page.route("**/texts/*.json", lambda route: route.fulfill(status=404))
    page = site.open("index.html?lang=ru")
    expect(page.get_by_text("the words of this page could not be read")).to_be_visible()
    heading(page, "en")
    page_errors.clear()


def test_words_that_are_markup_stay_words(site: Site) -> None:
    words = texts("pl") | {"index.lead": "<img src=x onerror=alert(1)>"}
    site.page.route("**/texts/pl.json", lambda route: route.fulfill(json=words))
    page = site.open("index.html?lang=pl")
    expect(page.locator(".lead")).to_have_text("<img src=x onerror=alert(1)>")
