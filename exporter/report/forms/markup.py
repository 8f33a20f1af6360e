"""Tables and bars as HTML; every text from outside is escaped here."""

import html
from collections.abc import Sequence

Cells = Sequence[str]
_BAR = 1000


def text(words: str) -> str:
    """`words` as HTML."""
    return html.escape(words)


def html_table(
    caption: str,
    headings: Cells,
    rows: Sequence[Cells],
    left: int,
    *,
    sortable: bool = True,
    roles: Sequence[str] = (),
    totals: Sequence[Cells] = (),
) -> str:
    """A table whose first `left` columns, and those without a heading, are words, all others numbers.

    `roles` are those of the rows, shown as colours. Cells of numbers have a class of one letter: there are thousands.
    """
    words = [index < left or not heading for index, heading in enumerate(headings)]
    marks = [f'<span class="mark role-{role}"></span>' for role in roles] or [""] * len(rows)
    body = [_row(row, words, mark) for row, mark in zip(rows, marks, strict=True)]
    foot = f"<tfoot>{''.join(_row(row, words, '') for row in totals)}</tfoot>" if totals else ""
    tall = " tall" if len(rows) > _TALL else ""
    return (
        f'<div class="scroll{tall}" tabindex="0" role="region" aria-label="{text(caption)}">'
        f"<table{' class=sortable' if sortable else ''}><caption>{text(caption)}</caption>"
        f"<thead><tr>{''.join(map(_heading, headings, words))}</tr></thead>"
        f"<tbody>{''.join(body)}</tbody>{foot}</table></div>"
    )


_TALL = 20


def _heading(words: str, left: bool) -> str:
    name = text(words) or "what it is"
    return f"<th>{name}</th>" if left else f'<th class="n">{name}</th>'


def _row(cells: Cells, words: Sequence[bool], mark: str) -> str:
    first, *rest = cells
    others = (
        f"<td>{text(cell)}</td>" if left else f'<td class="n">{text(cell)}</td>'
        for cell, left in zip(rest, words[1:], strict=True)
    )
    return f'<tr><th scope="row">{mark}{text(first)}</th>{"".join(others)}</tr>'


def bar(parts: Sequence[tuple[str, float]], whole: float) -> str:
    """A bar of parts (class, size), of which `whole` would be as wide as it can be."""
    rects, start = [], 0.0
    for name, size in parts:
        width = _BAR * size / whole
        if width >= 1:
            rects.append(f'<rect class="{name}" x="{start:.0f}" width="{width:.0f}" height="10"/>')
        start += width
    box = f'viewBox="0 0 {_BAR} 10" preserveAspectRatio="none" aria-hidden="true"'
    return f'<svg class="bar" {box}>{"".join(rects)}</svg>'


def plot(rows: Sequence[tuple[str, str, str]]) -> str:
    """A list of (name, bar, value)."""
    items = (
        f"<li><span>{text(name)}</span>{drawn}<span>{text(value)}</span></li>" for name, drawn, value in rows
    )
    return f'<ul class="plot">{"".join(items)}</ul>'


def key(entries: Sequence[tuple[str, str]]) -> str:
    """What the colours mean: (class, words)."""
    items = (f'<li><span class="mark {name}"></span>{text(words)}</li>' for name, words in entries)
    return f'<ul class="key">{"".join(items)}</ul>'
