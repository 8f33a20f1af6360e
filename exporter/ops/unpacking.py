"""Packed integers of fewer bits as packed integers of more, so that onnxruntime's operators of more bits read them.

onnxruntime's `QMoE` rounds activations to 8 bits where weights have 2 or 8; with 4 it is exact.
"""

import numpy as np
import onnx_ir as ir

from exporter.ops.function_body import FunctionBody


def octets() -> ir.Function:
    """Build `Octets(x)`: the two halves of each byte as bytes, the lower first; uint8 x (a, b, n), y (a, b, 2n)."""
    body = FunctionBody("Octets", ("x",))
    y = _halves(body, body.inputs[0])
    return body.close(
        {"y": y}, "y = the lower and the upper four bits of each byte; x (a, b, n), y (a, b, 2n)."
    )


def nibbles() -> ir.Function:
    """Build `Nibbles(x)`: the four 2-bit values of a byte as 4-bit values in two; uint8 x (a, b, n), y (a, b, 2n)."""
    body = FunctionBody("Nibbles", ("x",))
    half = _halves(body, body.inputs[0])
    low = body.op("BitwiseAnd", half, _byte(body, 0b11))
    high = body.op("BitwiseAnd", _shift(body, half, 2, "LEFT"), _byte(body, 0b110000))
    y = body.op("BitwiseOr", low, high)
    return body.close({"y": y}, "y = each 2 bits of x as 4 bits; x (a, b, n), y (a, b, 2n).")


def _halves(body: FunctionBody, x: ir.Value) -> ir.Value:
    last = body.integers(-1)
    low = body.op("BitwiseAnd", x, _byte(body, 0b1111))
    high = _shift(body, x, 4, "RIGHT")
    columns = [body.op("Unsqueeze", half, last) for half in (low, high)]
    pairs = body.op("Concat", *columns, attributes={"axis": -1})
    return body.op("Reshape", pairs, body.integers(0, 0, -1))


def _shift(body: FunctionBody, x: ir.Value, bits: int, direction: str) -> ir.Value:
    return body.op("BitShift", x, _byte(body, bits), attributes={"direction": direction})


def _byte(body: FunctionBody, value: int) -> ir.Value:
    return body.tensor(np.array(value, np.uint8))
