"""The tables of docs/reduction.md, from what scripts/reduction_chain.py measured."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

BEGIN, END = "<!-- measured -->", "<!-- end of measured -->"


def rewritten(page: str, table: Mapping[str, Any]) -> str:
    """The page with the tables of what was measured."""
    return between_marks(page, _lines(table))


def between_marks(page: str, lines: Iterable[str]) -> str:
    """The page with the lines between its two marks."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n" + "\n".join(lines) + f"\n{END}{after}"


def _lines(table: Mapping[str, Any]) -> Iterator[str]:
    heads = ("step", "weights", "parameters", "download, bytes", "held-out templates, exact")
    yield f"| {' | '.join((*heads, 'by hand, exact', 'by hand, F1', 'JSON', 'tokens/s'))} |"
    yield "|---|---|---:|---:|---:|---:|---:|---:|---:|"
    for row in table["rows"]:
        yield (
            f"| {row['step']} | {row['scheme']} | {row['parameters']:,} | {row['bytes']:,} | {row['held_out']:.1%} | "
            f"{row['written']:.1%} | {row['written_f1']:.1%} | {row['valid']:.1%} | {row['tokens_per_second']:.0f} |"
        )
    first = table["rows"][0]
    yield f"\n{first['held_out_count']} messages of held-out templates and {first['written_count']} by hand.\n"
    adapter = table["adapter"]
    yield f"| kind `{adapter['kind']}` | held-out templates, exact | by hand, exact | by hand, F1 |"
    yield "|---|---:|---:|---:|"
    for name in ("before", "merged", "at run time"):
        row = adapter[name]
        yield f"| {name} | {row['held_out']:.1%} | {row['written']:.1%} | {row['written_f1']:.1%} |"
    yield f"\nThe adapter has {adapter['bytes']:,} bytes, {adapter['share']:.2%} of the q8 base's weights."
