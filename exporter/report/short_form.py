"""report.json as an export writes it: sizes, and what nobody can tell from the artifact alone."""

from exporter.artifact import aligned_json
from exporter.report.ancestry import PRUNED_FROM, PrunedFrom
from exporter.report.measure import Report
from exporter.report.what_if import WHAT_IF, WhatIf


def short_form(report: Report, what_if: WhatIf | None, pruned_from: PrunedFrom | None) -> bytes:
    """The file's bytes; how many there are does not depend on numbers."""
    values = report.to_json()
    if pruned_from:
        values[PRUNED_FROM] = pruned_from.to_json()
    if what_if:
        values[WHAT_IF] = what_if.beside(report).to_json()
    return aligned_json(values)
