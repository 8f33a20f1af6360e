"""`RotaryTable` as an ONNX function: cosines and sines of rotary positions (Su et al., arXiv 2104.09864)."""

import numpy as np
import onnx_ir as ir

from exporter.ops.function_body import FunctionBody, required


def rotary_table() -> ir.Function:
    """Build `RotaryTable(inv_freq){length, scale}`: cos, sin (length, n) of position * inv_freq (n), times `scale`.

    The angles are formed in float64, as the browser engine forms them: near position 100000 a float32 angle
    may be off by 0.004 rad. The input is a constant, so onnxruntime folds the table when it loads the model.
    """
    length, scale = required("length", ir.AttributeType.INT), ir.AttrFloat32("scale", 1.0)
    body = FunctionBody("RotaryTable", ("inv_freq",), [length, scale])
    angle = body.op("Mul", _positions(body), _cast(body, body.inputs[0], ir.DataType.DOUBLE))
    factor = _cast(body, body.attribute("scale"), ir.DataType.DOUBLE)
    cos, sin = (
        _cast(body, body.op("Mul", body.op(function, angle), factor), ir.DataType.FLOAT)
        for function in ("Cos", "Sin")
    )
    return body.close(
        {"cos": cos, "sin": sin},
        "cos, sin (length, n) of position * inv_freq, times scale; inv_freq (n), computed in float64, float32 out.",
    )


def _positions(body: FunctionBody) -> ir.Value:
    """0 .. length-1 as a float64 column."""
    length = _cast(body, body.attribute("length"), ir.DataType.DOUBLE)
    zero, one = (body.tensor(np.array(value, np.float64)) for value in (0, 1))
    return body.op("Unsqueeze", body.op("Range", zero, length, one), body.integers(1))


def _cast(body: FunctionBody, value: ir.Value, to: ir.DataType) -> ir.Value:
    return body.op("Cast", value, attributes={"to": to})
