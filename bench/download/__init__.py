"""What visits really download: a headless Chromium opens a model's page, and the DevTools protocol counts bytes."""

from bench.download.visits import Measured, Visit, measure_visits
from bench.download.wire import Wire
from bench.download.workers import Workers

__all__ = ["Measured", "Visit", "Wire", "Workers", "measure_visits"]
