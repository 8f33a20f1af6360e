"""What a visitor reads of each way to fail: its own title, reason and next step, in each language."""

import re
from collections import Counter
from typing import Any

import pytest

from scripts.make_pages import LANGUAGES, texts
from tests.site.pages.conftest import SITE, Site

pytestmark = pytest.mark.browser

PARTS = ("title", "why", "next")
LEAST = 30
# Each code as an error of the engine, in the panel that the pages show.
PANELS = """async (codes) => {
  const { problemPanel } = await import('/source/app/problem_panel.js');
  return codes.map((code) => {
    const error = Object.assign(new Error(`Something of ${code} is wrong. Do this.`), { code });
    const panel = problemPanel(error, () => {});
    document.querySelector('main').append(panel);
    const [title, why, next, detail] = [...panel.children].map((child) => child.textContent);
    return { title, why, next, detail, role: panel.getAttribute('role') };
  });
}"""


def engine_codes() -> list[str]:
    """All of which a visitor learns; an abort was his own wish."""
    codes = re.findall(r"static code = '(\w+)'", (SITE / "engine" / "errors.js").read_text("utf-8"))
    return [code for code in codes if code != "ABORTED"]


def shown(site: Site, tag: str) -> list[dict[str, Any]]:
    page = site.open(f"generate.html?lang={tag}")
    panels: list[dict[str, Any]] = page.evaluate(PANELS, engine_codes())
    return panels


@pytest.mark.parametrize("tag", LANGUAGES)
def test_each_code_shows_its_own_words(site: Site, tag: str) -> None:
    words = texts(tag)
    panels = shown(site, tag)
    assert len(panels) >= LEAST
    for code, panel in zip(engine_codes(), panels, strict=True):
        assert {part: panel[part] for part in PARTS} == {
            part: words[f"problem.{code}.{part}"] for part in PARTS
        }, code
        assert panel["detail"] == f"{code}: Something of {code} is wrong."
        assert panel["role"] == "alert"
    for part in ("title", "why"):
        twice = [text for text, count in Counter(panel[part] for panel in panels).items() if count > 1]
        assert twice == [], f"the {part} of two codes"
    assert len({(panel["why"], panel["next"]) for panel in panels}) == len(panels)


def test_no_language_borrows_the_words_of_another() -> None:
    every = {tag: texts(tag) for tag in LANGUAGES}
    for code in engine_codes():
        for part in PARTS:
            said = {str(words[f"problem.{code}.{part}"]) for words in every.values()}
            assert len(said) == len(LANGUAGES), (code, part)
