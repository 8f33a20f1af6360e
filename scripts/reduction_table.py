"""The tables of docs/reduction.md, from what scripts/reduction_chain.py measured."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

BEGIN, END = "<!-- measured -->", "<!-- end of measured -->"
# Of a table that was measured before the chain noted its teacher: docs/reduction.json has one as long as it names none.
_FIRST = (
    "The teacher is the extraction model as it was after the first of its runs, not today's, which "
    "[demo-model.md](demo-model.md) is about: the chain has not been run again since. In the first table all messages "
    "by hand are appointments, and tokens/s are single timings."
)
# Key, name and weights of each row; a row that was not measured is left out.
_ADAPTED = (
    ("before", "before", "f16"),
    ("merged", "merged", "f16"),
    ("merged q8", "merged", "q8"),
    ("at run time", "at run time", "q8, adapter f16"),
)


def rewritten(page: str, table: Mapping[str, Any]) -> str:
    """The page with the tables of what was measured."""
    return between_marks(page, _lines(table))


def between_marks(page: str, lines: Iterable[str]) -> str:
    """The page with the lines between its two marks."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n" + "\n".join(lines) + f"\n{END}{after}"


def _lines(table: Mapping[str, Any]) -> Iterator[str]:
    yield from _made(table["settings"])
    yield from _measured(table["settings"], table["rows"][0])
    yield from _steps(table["rows"])
    yield ""
    yield from _adapter(table["adapter"])


def _made(settings: Mapping[str, Any]) -> Iterator[str]:
    if "teacher" in settings:
        yield f"The SHA-256 of the teacher's weights begins with `{settings['teacher'][:12]}`."
    else:
        yield _FIRST
    shares = "".join(f", `--{name} {settings[name]}`" for name in ("hardest", "calm") if name in settings)
    pruned = f"Pruned to `{settings['to']}`. " if "to" in settings else ""
    yield (
        f"{pruned}Distilled, and trained from scratch, for {settings['steps']:,} steps of {settings['batch']:,} of "
        f"{settings['examples']:,} examples, {settings['tokens']:,} tokens at once, mixed precision: "
        f"{settings['mixed_precision']}{shares}; the adapter, of rank {settings['rank']}, "
        f"for {settings['adapter_steps']:,} steps of {settings['adapter_batch']:,}."
    )


def _measured(settings: Mapping[str, Any], row: Mapping[str, Any]) -> Iterator[str]:
    held, written = row["held_out_count"], row["written_count"]
    yield (
        f"Measured on at most {settings['messages']} messages of each language in a set: {held} of held-out "
        f"templates, of which one is {1 / held:.1%}, and {written} by hand.\n"
    )


def _steps(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    heads = ("step", "weights", "parameters", "download, bytes", "held-out templates, exact")
    yield f"| {' | '.join((*heads, 'by hand, exact', 'by hand, F1', 'JSON', 'tokens/s'))} |"
    yield "|---|---|---:|---:|---:|---:|---:|---:|---:|"
    for row in rows:
        yield (
            f"| {row['step']} | {row['scheme']} | {row['parameters']:,} | {row['bytes']:,} | {row['held_out']:.1%} | "
            f"{row['written']:.1%} | {row['written_f1']:.1%} | {row['valid']:.1%} | {row['tokens_per_second']:.0f} |"
        )


def _adapter(adapter: Mapping[str, Any]) -> Iterator[str]:
    heads = (
        "weights",
        "messages, held-out + by hand",
        "held-out templates, exact",
        "by hand, exact",
        "by hand, F1",
    )
    yield f"| kind `{adapter['kind']}` | {' | '.join(heads)} |"
    yield "|---|---|---:|---:|---:|---:|"
    for key, name, weights in _ADAPTED:
        if row := adapter.get(key):
            yield (
                f"| {name} | {weights} | {row['held_out_count']} + {row['written_count']} | {row['held_out']:.1%} | "
                f"{row['written']:.1%} | {row['written_f1']:.1%} |"
            )
    yield f"\nThe adapter has {adapter['bytes']:,} bytes, {adapter['share']:.2%} of the q8 base's weights."
