"""The bench: our engine and its peers in one browser tab, in turns, on one adapter.

This door needs the standard library only; measuring needs Playwright and a Chromium.
"""

from bench.chromium import find_chromium
from bench.errors import BenchError
from bench.plan_counts import plan_counts
from bench.ratios import Spread, ratios

__all__ = ["BenchError", "Spread", "find_chromium", "plan_counts", "ratios"]
