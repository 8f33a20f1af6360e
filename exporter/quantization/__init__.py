"""Rounding and packing of weights: schemes, methods, mixtures, `quantize` and `dequantize`. Knows no ONNX."""

from .curvature import Curvature
from .half import to_float16
from .methods import METHODS, find_method
from .packed import Packed, dequantize, quantize
from .recipes import MIXTURES, Recipe, Role, TensorFacts, mixture
from .schemes import SCHEMES, Scheme, find_scheme

__all__ = [
    "METHODS",
    "MIXTURES",
    "SCHEMES",
    "Curvature",
    "Packed",
    "Recipe",
    "Role",
    "Scheme",
    "TensorFacts",
    "dequantize",
    "find_method",
    "find_scheme",
    "mixture",
    "quantize",
    "to_float16",
]
