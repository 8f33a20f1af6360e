"""What a weight takes in a scheme, and what comes back of it."""

import numpy as np

from exporter.calibration.float_graph import Floats
from exporter.quantization import SCHEMES, Curvature, Recipe, TensorFacts, dequantize, quantize, to_float16


def round_trip(fact: TensorFacts, weight: Floats, recipe: Recipe, hessian: Curvature | None = None) -> Floats:
    """`weight`, rounded as `recipe` says and made float32 again, in its own shape."""
    scheme = SCHEMES[recipe.scheme]
    if recipe.scheme == "f32":
        return weight
    if not scheme.block:
        return to_float16(weight, fact.name).astype(np.float32)
    rows = weight.reshape(fact.rows, fact.inner)
    packed = quantize(scheme, rows, fact.name, recipe.method, hessian)
    return dequantize(packed, fact.inner).reshape(weight.shape)


def bytes_in(fact: TensorFacts, scheme: str) -> int:
    """Bytes of the weight in `scheme`, with its scales and zero points."""
    found, size = SCHEMES[scheme], (fact.rows, fact.inner)
    return found.weight_bytes(*size) + found.scale_bytes(*size) + found.zero_bytes(*size)
