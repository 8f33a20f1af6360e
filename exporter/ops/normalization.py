"""`RMSNorm`, `HeadRMSNorm` and `GatedRMSNorm` as ONNX functions (Zhang and Sennrich, arXiv 1910.07467)."""

import numpy as np
import onnx_ir as ir

from exporter.ops.function_body import FunctionBody, required


def rms_norm() -> ir.Function:
    """Build `RMSNorm(x, weight){epsilon}`: x / sqrt(mean(x^2) + epsilon) * weight, float32."""
    body = FunctionBody("RMSNorm", ("x", "weight"), [required("epsilon", ir.AttributeType.FLOAT)])
    x, weight = body.inputs
    y = body.op("Mul", _normalized(body, x), weight)
    return body.close(
        {"y": y},
        "y = x / sqrt(mean(x^2) + epsilon) * weight, the mean over the last axis; x (..., n), weight (n).",
    )


def head_rms_norm() -> ir.Function:
    """Build `HeadRMSNorm(x, weight){epsilon, num_heads}`: RMSNorm of each of num_heads equal slices, float32."""
    body = FunctionBody(
        "HeadRMSNorm",
        ("x", "weight"),
        [required("epsilon", ir.AttributeType.FLOAT), required("num_heads", ir.AttributeType.INT)],
    )
    x, weight = body.inputs
    normalized = _normalized(body, _sliced(body, x, "num_heads"))
    y = body.op("Reshape", body.op("Mul", normalized, weight), body.integers(0, 0, -1))
    return body.close(
        {"y": y},
        "y = x / sqrt(mean(x^2) + epsilon) * weight, the mean over each of num_heads equal slices of the last "
        "axis; x (B, T, num_heads * n), weight (n).",
    )


def gated_rms_norm() -> ir.Function:
    """Build `GatedRMSNorm(x, gate, weight){epsilon, n_groups}`: gate first, then norm by group."""
    body = FunctionBody(
        "GatedRMSNorm",
        ("x", "gate", "weight"),
        [required("epsilon", ir.AttributeType.FLOAT), ir.AttrInt64("n_groups", 1)],
    )
    x, gate, weight = body.inputs
    gated = body.op("Mul", x, body.op("Mul", gate, body.op("Sigmoid", gate)))
    normalized = _normalized(body, _sliced(body, gated, "n_groups"))
    y = body.op("Mul", body.op("Reshape", normalized, body.integers(0, 0, -1)), weight)
    return body.close(
        {"y": y},
        "v = x * silu(gate); y = v / sqrt(mean(v^2) + epsilon) * weight, the mean over each of n_groups "
        "equal slices of the last axis; x, gate (B, T, n), weight (n).",
    )


def _sliced(body: FunctionBody, x: ir.Value, count: str) -> ir.Value:
    """x (B, T, n) as (B, T, slices, n / slices), where the attribute `count` says how many slices."""
    slices = body.op("Reshape", body.attribute(count), body.integers(1))
    shape = body.op("Concat", body.integers(0, 0), slices, body.integers(-1), attributes={"axis": 0})
    return body.op("Reshape", x, shape)


def _normalized(body: FunctionBody, x: ir.Value) -> ir.Value:
    """x / sqrt(mean(x^2) + epsilon) in the spelling that onnxruntime fuses into one kernel."""
    square = body.op("Pow", x, body.tensor(np.array(2.0, np.float32)))
    mean = body.op("ReduceMean", square, body.integers(-1), attributes={"keepdims": 1})
    root = body.op("Sqrt", body.op("Add", mean, body.attribute("epsilon")))
    return body.op("Div", x, root)
