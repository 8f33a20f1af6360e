"""Rows of cells as text in columns."""

import re
from collections.abc import Sequence

_MARKUP = re.compile(r"[|\[]|<(?=[A-Za-z/!?])")
RULE: Sequence[str] = ()


def columns(rows: Sequence[Sequence[str]], left: int) -> list[str]:
    """One line a row; RULE draws a line.

    In the first `left` columns, and in those without a heading, cells begin at the same place, else they end there.
    """
    cells = [row for row in rows if row]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    words = [index < left or not heading for index, heading in enumerate(cells[0])]
    rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
    return [_line(row, widths, words) if row else rule for row in rows]


def _line(row: Sequence[str], widths: Sequence[int], words: Sequence[bool]) -> str:
    cells = zip(row, widths, words, strict=True)
    return "  ".join(cell.ljust(width) if left else cell.rjust(width) for cell, width, left in cells).rstrip()


def markdown_table(headings: Sequence[str], rows: Sequence[Sequence[str]], left: int) -> list[str]:
    """A table in Markdown with the same sides."""
    marks = ["---" if index < left or not heading else "---:" for index, heading in enumerate(headings)]
    return ["| " + " | ".join(map(escaped, row)) + " |" for row in (headings, marks, *rows)]


def escaped(words: str) -> str:
    """`words` as Markdown that neither ends a cell nor becomes a tag, a link or a picture."""
    return _MARKUP.sub(r"\\\g<0>", words)
