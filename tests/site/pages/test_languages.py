"""Language and theme: which one a visitor gets, how it is switched, and that every page speaks and fits in each."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from scripts.make_pages import LANGUAGES, PAGES, texts
from tests.site.pages.conftest import EMBEDDER, EXTRACTOR, WRITER, Site, size_report
from tests.site.pages.test_accessibility import KEPT, REFUSED, RUN_AXE, SIDEWAYS, SMALL_TARGETS
from tests.site.pages.test_bench import RESULT, open_file
from tests.site.pages.test_sizes import WHOLE

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

pytestmark = pytest.mark.browser

HEADINGS = {tag: str(texts(tag)["index.heading"]) for tag in LANGUAGES}
PATHS = [page.path for page in PAGES]


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


ACCENTS = str.maketrans(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "áƀçđéƒğĥíĵķļɱñóþɋŕšťúṽŵẋýžÁɃÇĐÉƑĞĤÍĴĶĻṀÑÓÞɊŔŠŤÚṼŴẊÝŽ",
)


def lengthened(words: str) -> str:
    """The English text in brackets, with accents on each letter, half as long again."""
    parts = re.split(r"(\{\w+\})", words)
    accented = "".join(part if part.startswith("{") else part.translate(ACCENTS) for part in parts)
    return f"⟦{accented}{' óñé' * max(1, len(words) // 8)}⟧"


def pseudo() -> dict[str, Any]:
    """Polish as it would be if its words were all made up: numbers are still Polish."""
    return {
        key: lengthened(found)
        if isinstance(found, str)
        else {form: lengthened(found["other"]) for form in ("one", "few", "many", "other")}
        for key, found in texts("en").items()
    }


# What is no text of the page: names and numbers of models, engines and units, Intl's own words.
DATA = re.compile(
    r"all-MiniLM-L6-v2|MiniLM|Granite(?: 4\.0 H|) ?(?:<b>)?350M(?:</b>)?|Finder 6M|apache-2\.0|WebGPU"
    r"|\.venv/bin/thistledown serve build/models/minilm|thistledown|onnxruntime-web|acme one"
    r"|<i>tea</i>|[A-Z]+_[A-Z_]+:|minilm|models/[\w./]+|\bq[48]\b|Leaf|person, \w+, place"
    r"|angielski|ukraiński|polski|rosyjski|mln|\bsty\b|bajt\w+|\b[MGk]B\b|\bms\b|\bs\b|Ctrl"
)
# All that can be seen or heard, apart from what is marked as not the page's own words.
SAID = """() => {
  const foreign = (node) =>
    node.closest('[translate]')?.translate === false || node.closest('[lang]:not(html), script, textarea');
  const seen = [document.title];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const { parentElement: parent, data } = walk.currentNode;
    if (parent.closest('noscript, #wordless') || foreign(parent)) continue;
    if (parent.checkVisibility() || parent.closest('option, .settings, #status')) seen.push(data);
  }
  for (const element of document.querySelectorAll('[aria-label], [title], [placeholder], [alt], [content]')) {
    if (element.closest('[http-equiv], [name=viewport], [name=color-scheme], [name=theme-color]')) continue;
    for (const name of ['aria-label', 'title', 'placeholder', 'alt', 'content'])
      seen.push(element.getAttribute(name) ?? '');
  }
  return seen;
}"""
WRITTEN = '{"person": "Tomasz Wrona", "date": "dziś", "place": null, "vat": "1"}'


def look(page: "Page") -> None:
    expect(page.locator("[aria-busy]")).to_have_count(0)
    expect(page.locator("main p").first).to_be_visible()


def load(page: "Page") -> None:
    page.locator("button.load").click()
    expect(page.locator(".loaded, .problem, progress").first).to_be_visible()


def pause(page: "Page") -> None:
    load(page)
    page.locator("progress[value] ~ .row button").first.click()
    expect(page.locator("progress ~ .note").nth(1)).not_to_be_empty()


def search(page: "Page") -> None:
    load(page)
    page.locator("#query").fill("bees")
    expect(page.locator("#results li")).to_have_count(10)


def own_text(page: "Page") -> None:
    page.locator("input[value=own]").check()
    page.locator("#own-text").fill("1.\n\n2.")


def generate(page: "Page") -> None:
    load(page)
    page.locator("#options summary").click()
    page.locator("#max-tokens").fill("20")
    page.locator("#prompt").fill("?")
    page.locator("#go").click()
    expect(page.locator("#copy")).to_be_visible()


def classify(page: "Page") -> None:
    load(page)
    page.locator("#text").fill("The courier")
    expect(page.locator("#given")).to_be_visible()


def classify_many(page: "Page") -> None:
    page.locator("#several").check()
    page.locator("#lines").fill("1\n2\n3")
    page.locator("#go").click()
    expect(page.locator("#rows tr")).to_have_count(3)


def refuse_labels(page: "Page") -> None:
    page.locator("#several").check()
    file = {"name": "models/a.csv", "mimeType": "text/csv", "buffer": b"1,2\n3,4"}
    page.locator("#lines-file").set_input_files([file])  # type: ignore[list-item]
    page.locator("#labels-file").set_input_files([file])  # type: ignore[list-item]
    expect(page.locator(".problem")).to_be_visible()


def extract(page: "Page") -> None:
    expect(page.locator("#message")).not_to_be_empty()
    page.locator("#go").click()
    expect(page.locator("#copy")).to_be_visible()


def open_result(page: "Page") -> None:
    engines = [{"name": "thistledown", "ok": True, "version": "", "loadMs": 2800, "peakBytes": 250e6}]
    checks = [{"peer": "onnxruntime-web", "what": "", "value": 4, "limit": 4, "agrees": False}]
    open_file(page, {**RESULT, "engines": engines, "checks": checks})
    expect(page.locator("#result")).to_be_visible()


def open_parts(page: "Page") -> None:
    look(page)
    for summary in page.locator(".parts summary").all():
        summary.click()


def show_whole_report(page: "Page") -> None:
    page.route("**/report.json", lambda route: route.fulfill(json=size_report() | WHOLE))
    page.reload()
    expect(page.locator("#roles tbody tr")).to_have_count(3)


def damage_report(page: "Page") -> None:
    page.route("**/report.json", lambda route: route.fulfill(json=size_report(first_visit=1)))
    page.reload()
    expect(page.locator("#trouble .notice")).to_be_visible()


STATES: dict[str, tuple[str, Any, dict[str, Any], Callable[["Page"], None]]] = {
    "landing": ("index.html", [EMBEDDER, WRITER, EXTRACTOR], {}, look),
    "landing, refused": ("index.html", [EMBEDDER], {"inspection": REFUSED}, look),
    "landing, empty": ("index.html", [], {}, look),
    "landing, down": ("index.html", None, {}, look),
    "search, before loading": ("search.html", [EMBEDDER], {"inspection": {"cachedBytes": 1e6}}, look),
    "search, loading": ("search.html", [EMBEDDER], {"slow": 60_000}, load),
    "search, paused": ("search.html", [EMBEDDER], {"slow": 400, "kept": [KEPT]}, pause),
    "search, failed": ("search.html", [EMBEDDER], {"loadErrors": ["FILE_TRUNCATED"]}, load),
    "search, results": ("search.html", [EMBEDDER], {"vendor": "swiftshader"}, search),
    "search, own text": ("search.html", [EMBEDDER], {}, own_text),
    "generate, answered": ("generate.html", [WRITER, EXTRACTOR], {"chat": True, "words": "— "}, generate),
    "generate, by fields": ("generate.html", [EXTRACTOR], {"chat": True}, look),
    "classify, one text": ("classify.html", [EMBEDDER], {}, classify),
    "classify, many texts": ("classify.html", [EMBEDDER], {"slow": 20}, classify_many),
    "classify, a file": ("classify.html", [EMBEDDER], {}, refuse_labels),
    "extract, no model": ("extract.html", [WRITER], {}, look),
    "extract, found": ("extract.html", [EXTRACTOR], {"answer": WRITTEN}, extract),
    "extract, unfinished": ("extract.html", [EXTRACTOR], {"answer": WRITTEN[:-1]}, extract),
    "storage": ("storage.html", [], {"kept": [KEPT, {**KEPT, "keptBytes": 1e6}]}, look),
    "about": ("about.html", [EMBEDDER, EXTRACTOR], {}, look),
    "sizes": ("sizes.html", [EMBEDDER], {}, open_parts),
    "sizes, a whole report": ("sizes.html", [EMBEDDER], {}, show_whole_report),
    "sizes, a damaged report": ("sizes.html", [EMBEDDER], {}, damage_report),
    "storage, empty": ("storage.html", [], {}, look),
    "bench": ("bench/index.html", [EMBEDDER], {}, look),
    "bench, refused": ("bench/index.html", [EMBEDDER], {"inspection": REFUSED}, look),
    "bench, result": ("bench/index.html", [EMBEDDER], {}, open_result),
}


@pytest.mark.parametrize("state", STATES)
def test_no_english_is_left_when_all_texts_are_others_and_longer(
    site: Site, axe: str, page_errors: list[str], state: str
) -> None:
    path, models, engine, act = STATES[state]
    site.page.route(re.compile(r"/texts/(\w+/)?pl\.json$"), lambda route: route.fulfill(json=pseudo()))
    page = site.open(f"{path}?lang=pl", models, **engine)
    act(page)
    said = page.evaluate(SAID)
    assert sum("⟦" in words for words in said) > 8
    left = [words for words in said if re.search("[A-Za-z]{2,}", DATA.sub("", words))]
    assert left == []
    page.evaluate(axe)
    page.set_viewport_size({"width": 320, "height": 800})
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(SIDEWAYS) == 0
    assert page.evaluate(SMALL_TARGETS) == []
    assert page.evaluate(RUN_AXE) == []
    if models is None:
        page_errors.clear()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("tag", LANGUAGES)
def test_a_page_fits_and_is_accessible_in_each_language(site: Site, axe: str, tag: str, path: str) -> None:
    page = site.open(f"{path}?lang={tag}", [EMBEDDER, WRITER, EXTRACTOR])
    look(page)
    page.locator(".settings summary").click()
    page.evaluate(axe)
    for width, scheme, size in ((320, "dark", "100%"), (1280, "light", "200%")):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        page.evaluate("(size) => { document.documentElement.style.fontSize = size }", size)
        assert page.evaluate(SIDEWAYS) == 0, f"at {width} px, letters of {size}"
        assert page.evaluate(SMALL_TARGETS) == [], f"at {width} px, letters of {size}"
        assert page.evaluate(RUN_AXE) == [], f"at {width} px, {scheme}"
    panel = page.locator(".settings > div").bounding_box()
    assert panel is not None
    assert panel["x"] >= 0
