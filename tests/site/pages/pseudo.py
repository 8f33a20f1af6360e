"""A language made up of English: longer, with an accent on every letter, so that English left in a page is seen."""

import re
from typing import TYPE_CHECKING, Any

from scripts.make_pages import texts
from tests.site.pages.looks import SMALL_TARGETS

if TYPE_CHECKING:
    from playwright.sync_api import Page

FEWEST_WORDS = 8  # that every page says

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


# What is no text of the page: names and numbers of models, engines, labels and units, Intl's own words.
DATA = re.compile(
    r"all-MiniLM-L6-v2|MiniLM|Granite(?: 4\.0 H|) ?(?:<b>)?350M(?:</b>)?|Finder 6M|apache-2\.0|WebGPU"
    r"|\.venv/bin/thistledown serve build/models/minilm|thistledown|onnxruntime-web|acme one"
    r"|<i>tea</i>|[A-Z]+_[A-Z_]+:|minilm|models/[\w./]+|\bq[48]\b|Leaf|Billing\. |person, \w+, place|https://e\.example|\bPER\b"
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
    if (parent.closest('noscript') || foreign(parent)) continue;
    if (parent.checkVisibility() || parent.closest('option, .settings, #status')) seen.push(data);
  }
  for (const element of document.querySelectorAll('[aria-label], [title], [placeholder], [alt], [content]')) {
    if (element.closest('[http-equiv], [name=viewport], [name=color-scheme], [name=theme-color]')) continue;
    for (const name of ['aria-label', 'title', 'placeholder', 'alt', 'content'])
      seen.push(element.getAttribute(name) ?? '');
  }
  return seen;
}"""
# The targets that are too small once all that made words longer is gone, for as long as it takes to measure.
SMALL_WHEN_SHORT = f"""() => {{
  const kept = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) kept.push([walk.currentNode, walk.currentNode.data]);
  for (const [node, data] of kept) node.data = data.replace(/⟦|⟧|(?: óñé)+(?=⟧)/g, '');
  const found = ({SMALL_TARGETS})();
  for (const [node, data] of kept) node.data = data;
  return found;
}}"""


def english_in(page: "Page") -> list[str]:
    """What the page says that is neither of the made-up language nor a name or a number."""
    said = page.evaluate(SAID)
    if sum("⟦" in words for words in said) <= FEWEST_WORDS:
        return ["the page does not speak the made-up language"]
    return [words for words in said if re.search("[A-Za-z]{2,}", DATA.sub("", words))]
