"""The report in Markdown: of one build, or for a pull request as the difference of two."""

from collections.abc import Sequence

from exporter.report.analysis import Analysis
from exporter.report.difference import Difference, Mover
from exporter.report.forms.columns import escaped, markdown_table
from exporter.report.forms.tables import (
    FILE_HEADINGS,
    MOVER_HEADINGS,
    ROLE_HEADINGS,
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
)
from exporter.report.forms.what_if_table import BEST_MEANS, what_if_note, what_if_rows
from exporter.report.forms.words import short_name, signed, told_changed
from exporter.report.measure import Report
from exporter.sizes import human

_LARGEST = 10


def markdown(analysis: Analysis) -> str:
    """The report; where another build is given, the difference to it."""
    report = analysis.report
    head = f"## {report.name}: {report.quantization}, tier {report.tier}"
    parts = _difference(analysis, analysis.difference) if analysis.difference else _parts(analysis)
    return "\n\n".join([head, *("\n".join(part) for part in parts if part)])


def told_saved(report: Report) -> str:
    """A sentence about weights that are stored once; nothing where there are none."""
    if not report.saved_by_sharing:
        return ""
    return f"Weights that are read in several places are stored once, which saves {report.saved_by_sharing:,} bytes."


def _parts(analysis: Analysis) -> list[Sequence[str]]:
    report = analysis.report
    visits = (
        f"First visit: **{report.first_visit:,} bytes** ({human(report.first_visit)}). "
        f"Repeat visit: **{report.repeat_visit:,} bytes**. {told_saved(report)}".rstrip()
    )
    totals = [(f"**{group}**", *cells) for group, *cells in total_rows(report)]
    situations, networks = situation_rows(analysis), network_rows(analysis)
    results = markdown_table(*result_rows(analysis), 1)
    return [
        [visits],
        markdown_table(ROLE_HEADINGS, role_rows(analysis), 1),
        markdown_table(FILE_HEADINGS, [*file_rows(report), *totals], 3),
        markdown_table(*situations, 1),
        ["Predicted time to download:", "", *markdown_table(*networks, 1)],
        [f"{result_words(analysis)}:", "", *results, "", result_note()],
        _what_if(analysis),
        [entropy_note(analysis)],
    ]


def _what_if(analysis: Analysis) -> list[str]:
    found = analysis.what_if
    if found is None:
        return []
    table = markdown_table(*what_if_rows(found, analysis.report), 1)
    return ["What other schemes would cost and keep:", "", *table, "", f"{what_if_note(found)} {BEST_MEANS}"]


def _difference(analysis: Analysis, difference: Difference) -> list[Sequence[str]]:
    movers = difference.movers
    visit = difference.new_visit - difference.old_visit
    folder = difference.new_folder - difference.old_folder
    heading = f"{min(len(movers), _LARGEST)} largest of {len(movers)} changes, which sum to the byte:"
    return [
        [
            f"Compared with {escaped(difference.old_name)}: "
            f"first visit **{difference.new_visit:,} bytes** ({signed(visit)}), "
            f"folder {difference.new_folder:,} bytes ({signed(folder)})."
        ],
        _update(difference),
        _changes(("By role:", changed_roles(difference))),
        _changes((heading, movers[:_LARGEST])),
        [told_changed(difference, analysis.weights)],
    ]


def _changes(content: tuple[str, Sequence[Mover]]) -> list[str]:
    words, movers = content
    return [words, "", *markdown_table(MOVER_HEADINGS, mover_rows(movers), 2)] if movers else []


def _update(difference: Difference) -> list[str]:
    if not difference.fetched:
        return ["A visitor who has the other build fetches nothing."]
    files = [f"- `{short_name(name)}` {size:,} bytes" for name, size in difference.fetched.items()]
    return [f"A visitor who has the other build fetches **{difference.update:,} bytes**:", "", *files]
