"""The forms of the report: for a terminal, for programs, for a pull request, for a README, and as a page."""

from collections.abc import Callable, Mapping

from exporter.report.analysis import Analysis
from exporter.report.forms.badge import badge
from exporter.report.forms.document import document
from exporter.report.forms.markdown import markdown
from exporter.report.forms.page import page
from exporter.report.forms.terminal import table

FORMATS: Mapping[str, Callable[[Analysis], str]] = {
    "table": table,
    "json": document,
    "markdown": markdown,
    "html": page,
    "badge": badge,
}


def render(analysis: Analysis, form: str) -> str:
    """The report in one of FORMATS."""
    return FORMATS[form](analysis)
