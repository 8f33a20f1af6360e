"""What a model must answer to a few ids, by onnxruntime: a browser asks it before anybody else does."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from exporter.artifact import CANARY_BITS, Canary, Task
from exporter.models import Built
from exporter.parity.onnx_runner import Floats, OnnxDecoder, OnnxEncoder

# onnxruntime takes about a second to load so much and to play six tokens, and twice as much memory.
MOST_CANARY_BYTES = 256 * 1024 * 1024
_IDS = 6
_VALUES = 8
# A prime, so that the ids of one canary differ and lie all over a vocabulary.
_STRIDE = 7919


def canary_of(folder: Path, task: Task, built: Built) -> Canary | None:
    """The canary of the model.onnx in `folder`; None where its answer is no use: all zero, or not finite."""
    ids = _ids(built)
    rows = _decoded(folder, ids) if task == "text-generation" else _encoded(folder, ids, task)
    largest = float(max(np.abs(row).max() for row in rows))
    if not 0 < largest < math.inf:
        return None
    exponent = math.frexp(largest)[1]
    return Canary(ids, exponent, tuple(_largest(row, exponent) for row in rows))


def planned_canary(_folder: Path, task: Task, built: Built) -> Canary:
    """One as long as `canary_of` makes it, by shapes alone."""
    width = built.dimensions or (len(built.labels.names) if built.labels else built.vocabulary)
    row = tuple((index, index) for index in range(min(_VALUES, width)))
    return Canary(_ids(built), 0, (row,) * (2 if task == "text-generation" else 1))


def _ids(built: Built) -> tuple[int, ...]:
    return tuple((1 + _STRIDE * i) % built.vocabulary for i in range(min(_IDS, built.context)))


def _decoded(folder: Path, ids: Sequence[int]) -> list[Floats]:
    """Logits after all ids but the last, and after that."""
    return list(OnnxDecoder(folder, threads=1).logits(ids)[-2:])


def _encoded(folder: Path, ids: Sequence[int], task: Task) -> list[Floats]:
    encoder = OnnxEncoder(folder, threads=1)
    return [encoder.embed([ids])[0] if task == "sentence-embedding" else encoder.read_texts([ids])[0][0]]


def _largest(row: Floats, exponent: int) -> tuple[tuple[int, int], ...]:
    """The largest values with their indices, by index, as whole numbers of `CANARY_BITS` bits."""
    step = 2.0 ** (exponent - CANARY_BITS)
    indices = np.argsort(-row, kind="stable")[:_VALUES]
    return tuple((int(index), round(float(row[index]) / step)) for index in sorted(indices))
