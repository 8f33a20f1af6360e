"""The table of other schemes, for every form of the report, the model card and README."""

from collections.abc import Sequence

from exporter.report.forms.columns import markdown_table
from exporter.report.measure import Report
from exporter.report.what_if import COSINE, Alternative, WhatIf
from exporter.sizes import human

_TIER = "base"
THIS, BEST = "this one", "best for its bytes"
BEST_MEANS = f"{BEST[0].upper()}{BEST[1:]}: no other has both fewer bytes and better answers."


def quality_heading(what_if: WhatIf) -> str:
    """What is told of quality."""
    return "mean cosine" if what_if.distance == COSINE else "KL"


def quality(what_if: WhatIf, distance: float) -> str:
    """The quality that a distance stands for."""
    return f"{1 - distance:.5f}" if what_if.distance == COSINE else f"{distance:.2g}"


def what_if_rows(what_if: WhatIf, report: Report) -> tuple[Sequence[str], list[Sequence[str]]]:
    """Headings and rows: bytes, GPU memory of the tier and quality of each scheme."""
    own, best = what_if.own(report), {each.name for each in what_if.best}
    rows: list[Sequence[str]] = [
        (
            each.name,
            f"{each.first_visit:,}",
            f"{each.memory.get(report.tier, 0):,}",
            quality(what_if, each.distance),
            ", ".join([*([THIS] if each is own else []), *([BEST] if each.name in best else [])]),
        )
        for each in what_if.alternatives
    ]
    return ("scheme", "first visit", "GPU memory", quality_heading(what_if), ""), rows


def what_if_note(what_if: WhatIf) -> str:
    """What the quality is, in a sentence."""
    measured = f"over {what_if.texts} texts ({what_if.tokens:,} tokens) in many languages, in onnxruntime"
    if what_if.distance == COSINE:
        return f"Mean cosine of embeddings to those of the float model, {measured}; 1 is the same."
    return f"Mean KL to the float model in nats a token, {measured}; 0 is the same."


def what_if_card(what_if: WhatIf | None) -> str:
    """The schemes as a table in Markdown with sizes for people; nothing where none were tried."""
    if what_if is None:
        return ""
    headings = ("`--quantize`", "first visit", "GPU memory", quality_heading(what_if))
    rows = [_card_row(what_if, each) for each in what_if.alternatives]
    return "\n".join([*markdown_table(headings, rows, 1), "", what_if_note(what_if)])


def _card_row(what_if: WhatIf, each: Alternative) -> Sequence[str]:
    sizes = (human(each.first_visit), human(each.memory.get(_TIER, 0)))
    return (each.name, *sizes, quality(what_if, each.distance))
