"""What the download costs, to the byte."""

from exporter.report.analysis import Analysis, analyse
from exporter.report.budgets import Budget, joined, parse_budget, project_budgets, require_budgets
from exporter.report.forms import FORMATS, render
from exporter.report.measure import Report, ReportFile, measure_artifact, measure_export, over_budget, page_of
from exporter.report.networks import NETWORKS, Network
from exporter.report.prediction import Prediction, render_prediction
from exporter.report.situations import situations_of

__all__ = [
    "FORMATS",
    "NETWORKS",
    "Analysis",
    "Budget",
    "Network",
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
    "situations_of",
]
