"""Gated activations (Shazeer, arXiv 2002.05202), `Silu` and `SoftCap` (Bello et al., arXiv 1611.09940) in ONNX."""

import onnx_ir as ir

from exporter.ops.function_body import FunctionBody, required


def silu_gate() -> ir.Function:
    """Build `SiluGate(x)`: silu(first half) * second half; x (..., 2n), y (..., n), float32."""
    body = FunctionBody("SiluGate", ("x",))
    gate, up = _halves(body)
    y = body.op("Mul", _silu(body, gate), up)
    return body.close({"y": y}, "y = silu(first half of the last axis) * second half; x (..., 2n).")


def gelu_gate() -> ir.Function:
    """Build `GeluGate(x)`: gelu_tanh(first half) * second half; x (..., 2n), y (..., n), float32."""
    body = FunctionBody("GeluGate", ("x",))
    gate, up = _halves(body)
    y = body.op("Mul", body.op("Gelu", gate, attributes={"approximate": "tanh"}), up)
    return body.close({"y": y}, "y = gelu_tanh(first half of the last axis) * second half; x (..., 2n).")


def silu() -> ir.Function:
    """Build `Silu(x)`: x * sigmoid(x), float32."""
    body = FunctionBody("Silu", ("x",))
    return body.close({"y": _silu(body, body.inputs[0])}, "y = x * sigmoid(x).")


def soft_cap() -> ir.Function:
    """Build `SoftCap(x){cap}`: cap * tanh(x / cap), float32."""
    body = FunctionBody("SoftCap", ("x",), [required("cap", ir.AttributeType.FLOAT)])
    cap = body.attribute("cap")
    y = body.op("Mul", body.op("Tanh", body.op("Div", body.inputs[0], cap)), cap)
    return body.close({"y": y}, "y = cap * tanh(x / cap).")


def _halves(body: FunctionBody) -> tuple[ir.Value, ir.Value]:
    first, second = body.ops("Split", body.inputs[0], count=2, attributes={"axis": -1, "num_outputs": 2})
    return first, second


def _silu(body: FunctionBody, x: ir.Value) -> ir.Value:
    return body.op("Mul", x, body.op("Sigmoid", x))
