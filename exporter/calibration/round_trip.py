"""What a weight takes in a scheme, and what comes back of it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from exporter.calibration.float_graph import FloatGraph, Floats
from exporter.quantization import SCHEMES, Curvature, Recipe, TensorFacts, dequantize, quantize, to_float16
from exporter.row_tensor import SLAB_VALUES


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


@contextmanager
def rounded(graph: FloatGraph, recipes: Mapping[str, Recipe]) -> Iterator[None]:
    """The weights of `graph` that `recipes` name, rounded while the context lasts, some rows at a time."""
    facts = {fact.name: fact for fact in graph.facts}
    try:
        for name, recipe in recipes.items():
            _round_in_place(facts[name], graph.weights[name], recipe)
        yield
    finally:
        for name in recipes:
            graph.restore(name)


def _round_in_place(fact: TensorFacts, weight: Floats, recipe: Recipe) -> None:
    rows = weight.reshape(fact.rows, fact.inner)
    step = max(1, SLAB_VALUES // fact.inner)
    for start in range(0, fact.rows, step):
        part = rows[start : start + step]
        part[...] = round_trip(replace(fact, rows=len(part)), part, recipe)


def bytes_in(fact: TensorFacts, scheme: str) -> int:
    """Bytes of the weight in `scheme`, with its scales and zero points."""
    found, size = SCHEMES[scheme], (fact.rows, fact.inner)
    return found.weight_bytes(*size) + found.scale_bytes(*size) + found.zero_bytes(*size)
