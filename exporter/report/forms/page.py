"""The report as one HTML page."""

from exporter.report.analysis import Analysis


def page(analysis: Analysis) -> str:
    """The report as one HTML page."""
    return str(analysis)
