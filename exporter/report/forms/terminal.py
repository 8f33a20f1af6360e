"""The report for a terminal: what a newcomer wants to know first, then where the bytes are."""

from collections.abc import Sequence

from exporter.report.analysis import Analysis
from exporter.report.difference import Difference
from exporter.report.forms.columns import RULE, columns
from exporter.report.forms.tables import (
    FILE_HEADINGS,
    MOVER_HEADINGS,
    ROLE_HEADINGS,
    WEIGHT_HEADINGS,
    changed_roles,
    entropy_note,
    file_rows,
    mover_rows,
    network_rows,
    result_note,
    result_rows,
    result_words,
    role_rows,
    situation_rows,
    total_rows,
    weight_rows,
)
from exporter.report.forms.what_if_table import BEST_MEANS, what_if_note, what_if_rows
from exporter.report.forms.words import percent, short_name, signed, told_changed
from exporter.report.measure import Report
from exporter.sizes import human

_LARGEST = 8


def table(analysis: Analysis) -> str:
    """The report as text; where another build is given, the difference to it."""
    parts = _difference(analysis, analysis.difference) if analysis.difference else _parts(analysis)
    return "\n\n".join("\n".join(part) for part in parts if part)


def _parts(analysis: Analysis) -> list[Sequence[str]]:
    report = analysis.report
    return [
        [_head(report)],
        _summary(analysis),
        columns([ROLE_HEADINGS, RULE, *role_rows(analysis)], 1),
        columns([FILE_HEADINGS, RULE, *file_rows(report), RULE, *total_rows(report)], 3),
        _weights(analysis),
        _table(situation_rows(analysis)),
        ["Predicted time to download", *_table(network_rows(analysis))],
        [result_words(analysis), *_table(result_rows(analysis)), result_note()],
        _what_if(analysis),
        [_explained(analysis)],
    ]


def _head(report: Report) -> str:
    facts = f"{report.parameters:,} parameters, {report.quantization}, tier {report.tier}"
    return f"{report.name}: {report.task}, {facts}"


def _summary(analysis: Analysis) -> list[str]:
    report = analysis.report
    weights = percent(report.totals["weights"]["travels"] or 0, report.first_visit)
    lines = [
        f"first visit   {report.first_visit:>13,} bytes  ({human(report.first_visit)}, {weights} of it weights)",
        f"repeat visit  {report.repeat_visit:>13,} bytes  (weights come from the cache, the rest is unchanged)",
    ]
    if report.saved_by_sharing:
        saved = "saved: weights read in several places, stored once"
        lines.append(f"shared        {report.saved_by_sharing:>13,} bytes  {saved}")
    return lines


def _weights(analysis: Analysis) -> list[str]:
    largest = sorted(analysis.weights, key=lambda weight: -weight.bytes)[:_LARGEST]
    rest = len(analysis.weights) - len(largest)
    more = [f"… and {rest} more: --format json or html"] if rest else []
    return [*columns([WEIGHT_HEADINGS, RULE, *weight_rows(largest)], 3), *more, entropy_note(analysis)]


def _table(content: tuple[Sequence[str], Sequence[Sequence[str]]]) -> list[str]:
    headings, rows = content
    return columns([headings, RULE, *rows], 1)


def _what_if(analysis: Analysis) -> list[str]:
    found = analysis.what_if
    if found is None:
        return []
    head = ["What other schemes would cost and keep", what_if_note(found), BEST_MEANS]
    return [*head, *_table(what_if_rows(found, analysis.report))]


def _explained(analysis: Analysis) -> str:
    return f"All {analysis.attribution.folder_bytes:,} bytes of the folder are explained, 0 left over."


def _difference(analysis: Analysis, difference: Difference) -> list[Sequence[str]]:
    roles, movers = changed_roles(difference), difference.movers[:_LARGEST]
    rest = len(difference.movers) - len(movers)
    return [
        [_head(analysis.report), f"compared with {difference.old_name}"],
        [*_changes(difference), *_update(difference)],
        columns([MOVER_HEADINGS, RULE, *mover_rows(roles)], 2),
        columns([MOVER_HEADINGS, RULE, *mover_rows(movers)], 2),
        [f"… and {rest} more: --format json or html"] if rest else [],
        [told_changed(difference, analysis.weights)],
    ]


def _changes(difference: Difference) -> list[str]:
    visit = difference.new_visit - difference.old_visit
    folder = difference.new_folder - difference.old_folder
    return [
        f"first visit   {difference.new_visit:>13,} bytes  ({signed(visit)})",
        f"folder        {difference.new_folder:>13,} bytes  ({signed(folder)})",
        f"update        {difference.update:>13,} bytes  (what a visitor of the other build fetches)",
    ]


def _update(difference: Difference) -> list[str]:
    return [f"  {size:>25,} bytes  {short_name(name)}" for name, size in difference.fetched.items()]
