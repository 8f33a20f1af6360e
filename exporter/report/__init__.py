"""What the download costs, to the byte."""

from exporter.report.analysis import Analysis, analyse
from exporter.report.ancestry import PrunedFrom
from exporter.report.budgets import (
    Budget,
    joined,
    kept_budgets,
    parse_budget,
    project_budgets,
    require_budgets,
    require_export_budget,
)
from exporter.report.cpu_visit import cpu_files
from exporter.report.forms import FORMATS, render
from exporter.report.forms.what_if_table import what_if_card
from exporter.report.measure import Report, ReportFile, measure_artifact, measure_export, page_of
from exporter.report.networks import NETWORKS, Network
from exporter.report.prediction import Prediction, render_prediction
from exporter.report.runtime_files import BRING, RUNTIME, read_runtime
from exporter.report.short_form import short_form
from exporter.report.situations import situations_of
from exporter.report.what_if import Alternative, WhatIf

__all__ = [
    "BRING",
    "FORMATS",
    "NETWORKS",
    "RUNTIME",
    "Alternative",
    "Analysis",
    "Budget",
    "Network",
    "Prediction",
    "PrunedFrom",
    "Report",
    "ReportFile",
    "WhatIf",
    "analyse",
    "cpu_files",
    "joined",
    "kept_budgets",
    "measure_artifact",
    "measure_export",
    "page_of",
    "parse_budget",
    "project_budgets",
    "read_runtime",
    "render",
    "render_prediction",
    "require_budgets",
    "require_export_budget",
    "short_form",
    "situations_of",
    "what_if_card",
]
