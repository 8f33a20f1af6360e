"""The words of the pages: every language has every text, none is unused, and the pages hold the English ones."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from exporter.report.site_files import added_levels
from scripts.make_pages import LANGUAGES, PAGES, TEXTS, Page, render, text_files, texts
from tests.site.pages.conftest import SITE, Site

ENGLISH = texts("en")
OTHERS = [language for language in LANGUAGES if language != "en"]
SOURCES = "".join(
    path.read_text("utf-8") for folder in ("app", "bench") for path in sorted((SITE / folder).rglob("*.js"))
)
HTML = "".join((SITE / page.path).read_text("utf-8") for page in PAGES)

LITERAL = re.compile(r"'([\w.-]+)'")
# `problem.${known}.title`: a text whose key is put together.
TEMPLATE = re.compile(r"`([a-z]+\.(?:[\w.]|\$\{[^}]+\})+)`")
CALLED_WITH = re.compile(r"\b(?:text|say|textParts)\(\s*'([^']+)'")
MARKED_WITH = re.compile(r'\bdata-text(?:-[a-z-]+)?="([^"]+)"')
PLACEHOLDER = re.compile(r"\{(\w+)\}")
# Straight quotes, three dots and hyphens for dashes are typewriters' marks.
TYPEWRITTEN = re.compile(r"\"|'|\.\.\.| - |--")
QUOTES = {"en": "“”", "uk": "«»", "pl": "„”", "ru": "«»"}
SCRIPTS = re.compile(r"\b(?=\w*[A-Za-z])(?=\w*[\u0400-\u04ff])\w+")


def forms(found: str | dict[str, str]) -> list[str]:
    return [found] if isinstance(found, str) else list(found.values())


def built_keys(sources: str = SOURCES) -> Iterator[re.Pattern[str]]:
    """What each key that is put together may be."""
    for template in TEMPLATE.findall(sources):
        parts = re.split(r"\$\{[^}]+\}", template)
        if len(parts) > 1:
            yield re.compile(r"[\w-]+".join(map(re.escape, parts)))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_has_the_frame_of_all_and_the_english_of_the_texts(page: Page) -> None:
    assert (SITE / page.path).read_text("utf-8") == render(page), "run `python -m scripts.make_pages`"


def test_the_languages_are_the_same_everywhere() -> None:
    for folder in (TEXTS, *(path for path in TEXTS.iterdir() if path.is_dir())):
        assert {path.stem for path in folder.glob("*.json")} == set(LANGUAGES), folder.name
    script = (SITE / "app" / "preferences.js").read_text("utf-8")
    assert f"LANGUAGES = {json.dumps(LANGUAGES)}".replace('"', "'") in script


@pytest.mark.parametrize("language", OTHERS)
def test_a_language_has_every_text_with_the_same_values_in_it(language: str) -> None:
    translated = texts(language)
    assert list(translated) == list(ENGLISH)
    for key, english in ENGLISH.items():
        assert isinstance(translated[key], str) == isinstance(english, str), key
        wanted = {name for form in forms(english) for name in PLACEHOLDER.findall(form)}
        for form in forms(translated[key]):
            assert set(PLACEHOLDER.findall(form)) == wanted, key


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_typography_is_the_languages_own(language: str) -> None:
    every = [form for found in texts(language).values() for form in forms(found)]
    assert [form for form in every if TYPEWRITTEN.search(form)] == []
    strange = set("“”„«»") - set(QUOTES[language])
    assert [form for form in every if strange & set(form)] == []
    assert [form for form in every if SCRIPTS.search(form)] == [], "a word in two scripts"
    assert [form for form in every if not form.strip() or form != form.strip()] == []


def test_no_text_is_missing_and_none_is_unused() -> None:
    built = list(built_keys())
    assert all(any(pattern.fullmatch(key) for key in ENGLISH) for pattern in built)
    asked = {*CALLED_WITH.findall(SOURCES), *MARKED_WITH.findall(HTML)}
    assert asked - set(ENGLISH) == set()
    used = {*asked, *LITERAL.findall(SOURCES)}
    unused = {key for key in ENGLISH if key not in used and not any(p.fullmatch(key) for p in built)}
    assert unused == set()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as it is written, without the scripts that were put together of several pages' modules."""
    return Path(
        shutil.copytree(
            SITE, tmp_path_factory.mktemp("site") / "site", ignore=shutil.ignore_patterns("built")
        )
    )


def test_a_text_stands_in_one_file() -> None:
    for language in LANGUAGES:
        files = [set(json.loads(path.read_text("utf-8"))) for path in text_files(language)]
        assert len(texts(language)) == sum(map(len, files)), language


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_fetches_all_that_it_says(page: Page, written: Path) -> None:
    """What stands in another page's words is asked for by no module that it needs, now or later."""
    own = TEXTS / page.name
    fetched = [path for path in text_files("en") if path.parent in (TEXTS, own)]
    there = {key for path in fetched for key in json.loads(path.read_text("utf-8"))}
    loaded = [
        name
        for level in added_levels(page.path, (), written)
        for name in level
        if not name.startswith("engine/")
    ]
    sources = "".join((SITE / name).read_text("utf-8") for name in loaded)
    asked = {*LITERAL.findall(sources), *MARKED_WITH.findall(sources)} & set(ENGLISH)
    built = {key for pattern in built_keys(sources) for key in ENGLISH if pattern.fullmatch(key)}
    assert len(asked) > 8
    assert (asked | built) - there == set()


def test_no_page_says_anything_that_is_not_marked() -> None:
    """Every word in the <main> of a page stands in an element that names its text."""
    for page in PAGES:
        main = re.search(r"<main .*</main>", (SITE / page.path).read_text("utf-8"), re.DOTALL)
        assert main is not None
        bare = re.sub(r'<(\w+)\b[^>]*\bdata-text="[^"]*"[^>]*>[^<]*</\1>', "", main[0])
        assert re.findall(r">[^<]*[A-Za-z]{2}[^<]*<", bare) == [], page.path
        labels = re.findall(r'(?<!data-text-)\b(?:aria-label|placeholder|title|alt)="([^"]+)"', bare)
        marked = [ENGLISH[key] for key in re.findall(r'data-text-[a-z-]+="([^"]+)"', bare)]
        assert set(labels) <= set(map(str, marked)), page.path


@pytest.mark.browser
@pytest.mark.parametrize("language", LANGUAGES)
def test_plural_forms_are_those_of_the_language(site: Site, language: str) -> None:
    page = site.open("index.html")
    wanted = page.evaluate("(tag) => new Intl.PluralRules(tag).resolvedOptions().pluralCategories", language)
    counted = {key: found for key, found in texts(language).items() if isinstance(found, dict)}
    assert counted
    assert {key: sorted(found) for key, found in counted.items()} == dict.fromkeys(counted, sorted(wanted))


@pytest.mark.browser
@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ["1 passage", "2 passages", "5 passages", "1.5 passages", "1,234 passages"]),
        ("uk", ["1 уривок", "2 уривки", "5 уривків", "1,5 уривка", "1\xa0234 уривки"]),
        ("pl", ["1 fragment", "2 fragmenty", "5 fragmentów", "1,5 fragmentu", "1234 fragmenty"]),
        ("ru", ["1 отрывок", "2 отрывка", "5 отрывков", "1,5 отрывка", "1\xa0234 отрывка"]),
    ],
)
def test_counts_are_said_as_the_language_says_them(site: Site, language: str, said: list[str]) -> None:
    page = site.open(f"index.html?lang={language}")
    assert (
        page.evaluate(
            """async (counts) => {
              const { text } = await import('/source/app/texts.js');
              return counts.map((n) => text('search.passages', { n }));
            }""",
            [1, 2, 5, 1.5, 1234],
        )
        == said
    )


@pytest.mark.browser
@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ["24.3 MB", "999 bytes", "12 ms", "2.5 s", "about 2 min left", "0.50", "37%", "German"]),
        (
            "uk",
            [
                "24,3 МБ",
                "999 байтів",
                "12 мс",
                "2,5 \u0441",
                "лишилося близько 2 хв",
                "0,50",
                "37%",
                "німецька",
            ],
        ),
        (
            "pl",
            ["24,3 MB", "999 bajtów", "12 ms", "2,5 s", "zostało około 2 min", "0,50", "37%", "niemiecki"],
        ),
        (
            "ru",
            [
                "24,3 МБ",
                "999 байт",
                "12 мс",
                "2,5 \u0441",
                "осталось около 2 мин",
                "0,50",
                "37 %",
                "немецкий",
            ],
        ),
    ],
)
def test_sizes_and_times_are_written_as_the_language_writes_them(
    site: Site, language: str, said: list[str]
) -> None:
    page = site.open(f"index.html?lang={language}")
    found = page.evaluate(
        """async () => {
          const format = await import('/source/app/format.js');
          return [
            format.formatBytes(24_301_234), format.formatBytes(999), format.formatDuration(12),
            format.formatDuration(2500), format.formatRemaining(120_000), format.formatHundredths(0.5),
            format.formatPercent(0.37), format.formatLanguage('de'),
          ];
        }"""
    )
    assert [words.replace("\xa0", " ") for words in found] == said
