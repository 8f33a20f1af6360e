"""The rotary frequencies behind a foreign graph's cos and sin, read from their values on the probe."""

from collections.abc import Iterator

import numpy as np
import onnx_ir as ir

from exporter.components import Rotary
from exporter.errors import GraphError
from exporter.foreign.translation import Array, Translation, input_of, integer

_TOLERANCE = 1e-4
_Tables = tuple[ir.Value | None, ir.Value | None, Array]


def find_rotary(t: Translation) -> Rotary | None:
    """The frequencies that all rotary nodes share; None without any. Raises GraphError if they cannot be told."""
    found = [_rotary(t, node, tables) for node, tables in _tables(t)]
    if any(not np.allclose(one.inv_freq, found[0].inv_freq, rtol=1e-5) for one in found):
        raise GraphError(
            "layers with different rotary frequencies", "rotary nodes", "There is no builder for it."
        )
    return found[0] if found else None


def _tables(t: Translation) -> Iterator[tuple[ir.Node, _Tables]]:
    counted = np.arange(1 << 20)
    for node in t.model.graph:
        if node.op_type == "RotaryEmbedding":
            yield node, (node.inputs[2], node.inputs[3], np.ravel(t.of(node.inputs[1])))
        if node.op_type == "GroupQueryAttention" and integer(node, "do_rotary", 0):
            yield node, (input_of(node, 7), input_of(node, 8), counted)


def _rotary(t: Translation, node: ir.Node, tables: _Tables) -> Rotary:
    cos, sin = (np.asarray(t.of(value), np.float64) for value in tables[:2])
    width = cos.shape[-1]
    cos, sin = cos.reshape(-1, width), sin.reshape(-1, width)
    scale = float(np.hypot(cos, sin).mean())
    positions = _positions(t, cos, tables[0])
    candidates = [*_constants(t, tables[0], width), *_slope(cos, sin, positions)]
    for inv_freq in candidates:
        angles = positions[:, None] * inv_freq[None].astype(np.float64)
        turns = np.stack([np.cos(angles) - cos / scale, np.sin(angles) - sin / scale])
        if np.abs(turns).max() < _TOLERANCE:
            return Rotary(inv_freq.astype(np.float32), round(scale, 6))
    raise GraphError(
        "the rotary frequencies cannot be told", f"node {node.name}", "There is no builder for it."
    )


def _positions(t: Translation, cos: Array, value: ir.Value | None) -> Array:
    """The position of each row of a table: 0, 1, ... in a constant one, else those of the probe, batch by batch."""
    if t.constant(value) is not None:
        return np.arange(len(cos), dtype=np.float64)
    counted = np.arange(t.probe.past, t.probe.total, dtype=np.float64)
    return np.resize(counted, len(cos))


def _slope(cos: Array, sin: Array, positions: Array) -> list[Array]:
    """Frequencies from two neighbouring positions, each at most pi apart."""
    if len(cos) < 2 or positions[1] - positions[0] != 1:
        return []
    angle = np.arctan2(sin, cos)
    return [np.mod(angle[1] - angle[0], 2 * np.pi)]


def _constants(t: Translation, value: ir.Value | None, width: int) -> list[Array]:
    """Constants of `width` numbers that `value` was computed from."""
    found, seen, waiting = [], set(), [value]
    while waiting:
        current = waiting.pop()
        if current is None or current in seen:
            continue
        seen.add(current)
        constant = t.constant(current)
        if constant is not None and constant.size == width and constant.dtype.kind == "f":
            found.append(np.ravel(constant))
        producer = current.producer()
        waiting.extend(producer.inputs if producer is not None else ())
    return found
