"""The texts of the site: error explanations, passages, and how a visitor's text is cut."""

import json
import re
from pathlib import Path
from typing import Any

import brotli
import pytest

from exporter.report.site_files import BUILT_KINDS, visit_levels
from scripts.make_pages import LANGUAGES
from scripts.make_passages import TARGET, render
from tests.site.pages.conftest import SITE, Site

BUILT = SITE / "built"
CUT = "async (text) => (await import('/source/app/splitting.js')).splitText(text, 'notes')"


def weight(*patterns: str) -> int:
    """Brotli bytes of the site's files as they are served."""
    files = [
        path
        for pattern in patterns
        for path in (BUILT if Path(pattern).suffix in BUILT_KINDS else SITE).glob(pattern)
    ]
    return sum(len(brotli.compress(path.read_bytes())) for path in files)


def test_the_documentation_passages_are_fresh() -> None:
    assert TARGET.read_text("utf-8") == render(), "run `python -m scripts.make_passages`"


@pytest.mark.parametrize("name", ["facts", "docs"])
def test_passages_are_short_and_stand_once(name: str) -> None:
    collection = json.loads((SITE / "passages" / f"{name}.json").read_text("utf-8"))
    texts = [passage["text"] for passage in collection["passages"]]
    assert len(set(texts)) == len(texts) >= 50
    assert max(map(len, texts)) <= 900
    assert collection["examples"]


def test_the_site_is_light() -> None:
    """All pages together, without their words, which nobody loads: what one costs is the next test."""
    sizes = weight("sizes.html", "sizes.css", "app/sizes/*.js")
    assert sizes < 6_500
    shell = weight("*.html", "*.css", "*.svg", "app/**/*.js") - sizes
    assert shell < 69_000
    assert shell + weight("passages/*.json") < 85_000


@pytest.mark.parametrize(
    ("task", "extracts", "tokenizer", "most"),
    [
        ("sentence-embedding", False, ("Unigram", "Precompiled"), 23_000),
        ("text-generation", False, ("Unigram", "Precompiled"), 23_000),
        ("text-generation", True, ("BPE",), 23_000),
        ("text-classification", False, ("WordPiece",), 28_000),
    ],
)
def test_a_page_is_light(task: str, extracts: bool, tokenizer: tuple[str, ...], most: int) -> None:
    """What one page loads, without its passages and weights; with words and engine at most 90 kB.

    Of tokenizers' code that is the most that models of the task have.
    """
    levels = visit_levels(task, extracts=extracts, tokenizer=tokenizer)
    files = [name for level in levels for name in level if not name.startswith("passages/")]
    own = [name for name in files if not name.startswith("engine/")]
    assert "style.css" in own
    words = [name for name in own if name.startswith("app/texts/")]
    assert words[0] == "app/texts/en.json"
    code = weight(*own) - weight(*words)
    assert code < most
    longest = max(
        weight(*(name.replace("/en.json", f"/{language}.json") for name in words)) for language in LANGUAGES
    )
    assert code + longest < most + 11_000
    assert code + longest + weight(*files) - weight(*own) < 90_000


def test_the_chat_page_is_light() -> None:
    """It has a Markdown reader of its own, and else what the Generate page has."""
    assert weight("chat.html", "chat.css", "markdown.css", "app/chat/*.js", "app/markdown.js") < 20_500


@pytest.mark.browser
def test_every_error_of_the_engine_is_explained(site: Site) -> None:
    codes = re.findall(r"static code = '(\w+)'", (SITE / "engine" / "errors.js").read_text("utf-8"))
    page = site.open("index.html")
    explained = page.evaluate("async () => Object.keys((await import('/source/app/problems.js')).PROBLEMS)")
    assert len(codes) >= 19
    assert set(codes) - {"ABORTED"} <= set(explained)


@pytest.mark.browser
def test_a_text_is_cut_at_paragraphs_headings_and_sentences(site: Site) -> None:
    def cut(text: str) -> list[dict[str, Any]]:
        return page.evaluate(CUT, text)  # type: ignore[no-any-return]

    page = site.open("index.html")
    assert cut("  \r\n\r\n ") == []
    assert [(part["source"], part["text"]) for part in cut("First.\r\n\r\n## Title\nSecond.\n\nThird.")] == [
        ("notes", "First."),
        ("Title", "Second."),
        ("Title", "Third."),
    ]
    sentences = " ".join(f"Sentence number {i} says a little more." for i in range(60))
    parts = [part["text"] for part in cut(sentences)]
    assert " ".join(parts) == sentences
    assert all(len(part) <= 500 and part.endswith("more.") for part in parts)
    assert "".join(part["text"] for part in cut("x" * 5000)) == "x" * 5000
    assert max(len(part["text"]) for part in cut("слово " * 900)) <= 500
