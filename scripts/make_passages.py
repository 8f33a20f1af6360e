"""Write site/passages/docs.json: this project's documentation, cut into passages for the Search page.

Run it again after a change to one of the documents: `python -m scripts.make_passages`.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "site" / "passages" / "docs.json"
DOCUMENTS = ("README.md", "docs/engine.md")

ABOUT = {
    "title": "This project's documentation",
    "about": "What the documents of Thistledown say.",
    "examples": [
        "How is a damaged download noticed?",
        "Can it run without a graphics card?",
        "what happens when the connection breaks",
    ],
}
# What only developers of the project look for.
LEFT_OUT = ("Decisions", "Next steps")
SHORTEST = 40  # characters; less than this is a label, not a passage
LONGEST = 600

FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#{1,6} +(.*)")
RULE = re.compile(r"^[|\s:-]+$")
LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
EMPHASIS = re.compile(r"(\*{1,2})(\w|\w[^*]*[^*\s])\1")


def passages_of(markdown: str, name: str) -> Iterator[dict[str, str]]:
    """Yield one passage for each paragraph, list item and table row, with its heading as the source."""
    heading = ""
    for block in _blocks(FENCE.sub("", markdown)):
        title = HEADING.match(block)
        if title:
            heading = title.group(1)
        if title or heading in LEFT_OUT:
            continue
        for text in _pieces(_plain(block)):
            yield {"text": text, "source": f"{name} · {heading}" if heading else name, "lang": "en"}


def collection(root: Path = ROOT) -> dict[str, object]:
    """Return the whole collection, from those documents that exist below `root`."""
    existing = [name for name in DOCUMENTS if (root / name).is_file()]
    passages = [
        passage for name in existing for passage in passages_of((root / name).read_text("utf-8"), name)
    ]
    return {**ABOUT, "passages": passages}


def render(root: Path = ROOT) -> str:
    """Return the text of docs.json, one passage a line so that a diff shows what changed."""
    made = collection(root)
    passages = made.pop("passages")
    assert isinstance(passages, list)
    head = json.dumps(made, ensure_ascii=False, indent=1).removesuffix("\n}")
    lines = ",\n".join(f"  {json.dumps(passage, ensure_ascii=False)}" for passage in passages)
    return f'{head},\n "passages": [\n{lines}\n ]\n}}\n'


def _blocks(markdown: str) -> Iterator[str]:
    """Yield headings, paragraphs, list items and table rows; lines of one block are joined."""
    block: list[str] = []
    for line in markdown.splitlines():
        stripped = line.strip()
        starts = line.startswith(("#", "- ", "* ", "|")) or re.match(r"\d+\. ", line) is not None
        if block and (starts or not stripped):
            yield " ".join(block)
            block = []
        if stripped and not line.startswith("    ") and not RULE.match(line):
            block.append(stripped)
    if block:
        yield " ".join(block)


def _plain(block: str) -> str:
    """Return the words of a block, without Markdown's marks."""
    text = re.sub(r"^(?:[-*]|\d+\.) +", "", block)
    if text.startswith("|"):
        first, *rest = (cell.strip() for cell in text.strip("|").split("|"))
        text = f"{first}: {', '.join(cell for cell in rest if cell)}"
    return EMPHASIS.sub(r"\2", LINK.sub(r"\1", text)).replace("`", "").strip()


def _pieces(text: str) -> Iterator[str]:
    """Yield `text`, a long one cut after sentences; nothing for a mere label."""
    piece = ""
    for sentence in re.split(r"(?<=[.;:]) ", text):
        if piece and len(piece) + len(sentence) > LONGEST:
            yield piece
            piece = ""
        piece = f"{piece} {sentence}".strip()
    if len(piece) >= SHORTEST:
        yield piece


def main() -> None:
    """Write the file."""
    TARGET.write_text(render(), encoding="utf-8")


if __name__ == "__main__":
    main()
