"""float32 values in the types of safetensors, rounded to the nearest, ties to even."""

from collections.abc import Callable, Mapping

import numpy as np

from exporter.adapters.peft_folder import Floats
from exporter.errors import WeightsError


def _to_bfloat16(values: Floats) -> np.ndarray:
    bits = np.ascontiguousarray(values).view(np.uint32)
    return ((bits + np.uint32(0x7FFF) + (bits >> 16 & 1)) >> 16).astype("<u2")


_ENCODERS: Mapping[str, Callable[[Floats], np.ndarray]] = {
    "F64": lambda values: values.astype("<f8"),
    "F32": lambda values: values.astype("<f4"),
    "F16": lambda values: values.astype("<f2"),
    "BF16": _to_bfloat16,
}
_INFINITY = {"F64": np.inf, "F32": np.inf, "F16": 65520.0, "BF16": 3.3961775e38}


def encoded(values: Floats, dtype: str, name: str) -> bytes:
    """`values` of tensor `name` as bytes of `dtype`; raises WeightsError where one is too large for it."""
    if not (np.abs(values) < _INFINITY[dtype]).all():
        raise WeightsError(
            f'Tensor "{name}" has a value that {dtype} cannot hold', name, "The adapter is damaged."
        )
    return _ENCODERS[dtype](values).tobytes()
