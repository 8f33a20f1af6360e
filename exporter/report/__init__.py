"""What the download costs, to the byte."""

from exporter.report.formats import FORMATS, render
from exporter.report.measure import Report, ReportFile, measure_artifact, measure_export, over_budget
from exporter.report.prediction import Prediction, render_prediction

__all__ = [
    "FORMATS",
    "Prediction",
    "Report",
    "ReportFile",
    "measure_artifact",
    "measure_export",
    "over_budget",
    "render",
    "render_prediction",
]
