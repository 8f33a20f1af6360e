"""Graph rewrites, one a file."""

from exporter.passes.choice import Choice
from exporter.passes.externalize import point_at_shards, store_weights, stored_bytes
from exporter.passes.packing import Hessian
from exporter.passes.pooling import apply_pooling
from exporter.passes.quantize_weights import quantize_weights
from exporter.passes.roles import linears_of, weight_facts
from exporter.passes.slabs import slab_reader
from exporter.passes.weights import is_weight, parameter_count, tensor_of, weights

__all__ = [
    "Choice",
    "Hessian",
    "apply_pooling",
    "is_weight",
    "linears_of",
    "parameter_count",
    "point_at_shards",
    "quantize_weights",
    "slab_reader",
    "store_weights",
    "stored_bytes",
    "tensor_of",
    "weight_facts",
    "weights",
]
