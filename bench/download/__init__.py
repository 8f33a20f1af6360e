"""What visits really download: a headless Chromium opens a model's page, and the DevTools protocol counts bytes."""

from bench.download.line import Pace, Passed
from bench.download.peer_visits import MeasuredPeer, measure_peer
from bench.download.visits import SOFTWARE, Measured, Visit, measure_visits
from bench.download.wire import Wire
from bench.download.workers import Workers

__all__ = [
    "SOFTWARE",
    "Measured",
    "MeasuredPeer",
    "Pace",
    "Passed",
    "Visit",
    "Wire",
    "Workers",
    "measure_peer",
    "measure_visits",
]
