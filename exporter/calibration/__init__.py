"""What a model does with texts, in onnxruntime: second moments for GPTQ, and what rounding changes."""

from exporter.calibration.automatic import CANDIDATES, Target, find_mixture
from exporter.calibration.damage import Distances
from exporter.calibration.float_graph import FloatGraph
from exporter.calibration.moments import Moments
from exporter.calibration.round_trip import bytes_in, round_trip
from exporter.calibration.stored_graph import StoredGraph
from exporter.calibration.texts import read_texts, tokens_of

__all__ = [
    "CANDIDATES",
    "Distances",
    "FloatGraph",
    "Moments",
    "StoredGraph",
    "Target",
    "bytes_in",
    "find_mixture",
    "read_texts",
    "round_trip",
    "tokens_of",
]
