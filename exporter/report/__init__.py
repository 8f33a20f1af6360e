"""What the download costs, to the byte."""

from exporter.report.analysis import Analysis, analyse
from exporter.report.budgets import Budget, joined, parse_budget, project_budgets, require_budgets
from exporter.report.forms import FORMATS, render
from exporter.report.measure import Report, ReportFile, measure_artifact, measure_export, over_budget, page_of
from exporter.report.prediction import Prediction, render_prediction

__all__ = [
    "FORMATS",
    "Analysis",
    "Budget",
    "Prediction",
    "Report",
    "ReportFile",
    "analyse",
    "joined",
    "measure_artifact",
    "measure_export",
    "over_budget",
    "page_of",
    "parse_budget",
    "project_budgets",
    "render",
    "render_prediction",
    "require_budgets",
]
