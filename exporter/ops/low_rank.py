"""`LowRank` as an ONNX function: what an adapter adds to the output of a linear (Hu et al., arXiv 2106.09685)."""

import onnx_ir as ir

from exporter.ops.function_body import FunctionBody, required

_WHOLE = ("offset", "rank", "column", "after")


def low_rank() -> ir.Function:
    """Build `LowRank(y, h, up){offset, rank, column, after, scale}`: float32, y and h of one rank.

    The columns [column, width - after) of y (..., width) are added scale * h[..., offset : offset + rank] @ up.T.
    """
    declared = [required(name, ir.AttributeType.INT) for name in _WHOLE]
    body = FunctionBody("LowRank", ("y", "h", "up"), [*declared, required("scale", ir.AttributeType.FLOAT)])
    y, h, up = body.inputs
    offset, rank, column, after = (_as_list(body, name) for name in _WHOLE)
    axis = body.integers(-1)
    part = body.op("Slice", h, offset, body.op("Add", offset, rank), axis)
    product = body.op(
        "FusedMatMul",
        part,
        up,
        domain="com.microsoft",
        attributes={"transB": 1, "alpha": body.reference("alpha", "scale")},
    )
    padding = body.op("Concat", column, after, attributes={"axis": 0})
    padded = body.op("Pad", product, padding, None, axis)
    return body.close(
        {"z": body.op("Add", y, padded)},
        "z = y, and to its columns [column, width - after) scale * h[offset : offset + rank] up^T is added; "
        "y (..., width), h (..., ranks), up (width - column - after, rank).",
    )


def _as_list(body: FunctionBody, name: str) -> ir.Value:
    """The attribute `name` as int64 (1,)."""
    return body.op("Reshape", body.attribute(name), body.integers(1))
