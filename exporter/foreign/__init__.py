"""Models without a builder: a foreign ONNX graph, or one traced by transformers, told again in our vocabulary.

The translation is proven before it is used: both graphs must give the same outputs on a set of inputs.
"""

from exporter.foreign.graph_reading import read_graph
from exporter.foreign.tracing import trace
from exporter.foreign.translate import translate

__all__ = ["read_graph", "trace", "translate"]
