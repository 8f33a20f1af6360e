"""Lowering of an adapter's products: the first is a linear, the second is added in place to what the base's made."""

import onnx_ir as ir

from exporter.lowering.program import Target, View
from exporter.lowering.stored_weights import StoredMatrix, weight_format, weight_shape
from exporter.lowering.walk import Walk, integer, number, stored_value

LOW_RANK = "LowRank"
_BASE, _FIRST, _UP = range(3)


def low_ranks_after(walk: Walk, value: ir.Value) -> list[ir.Node]:
    """The LowRank nodes that add to `value` one after the other, and nothing else sees what is between."""
    found: list[ir.Node] = []
    node = walk.follower(value, LOW_RANK)
    while node is not None and node.inputs[_BASE] is value:
        found.append(node)
        value = node.outputs[0]
        node = walk.follower(value, LOW_RANK)
    return found


def is_first_product(node: ir.Node) -> bool:
    """Whether a linear is the first of an adapter's two: only LowRank nodes read it, and not as what they add to."""
    usages = list(node.outputs[0].uses())
    return bool(usages) and all(u.node.op_type == LOW_RANK and u.idx == _FIRST for u in usages)


def add_low_ranks(walk: Walk, nodes: list[ir.Node], out: View, alpha: float) -> None:
    """Add the products of `nodes`, times `alpha`, to `out`, which holds the sum that they belong to."""
    for node in nodes:
        up = stored_value(node.inputs[_UP])
        if up is None:
            raise walk.refuse(node, "the third input must be a weight")
        h = _of_the_same_rows(walk, walk.view(node.inputs[_FIRST]), out, node)
        rows, inner = weight_shape(up)
        matrix = StoredMatrix(weight_format(up), rows, inner, up)
        for part in walk.program.store.matrix(matrix):
            constants = {
                "inner": inner,
                "rows": part.rows,
                "x_stride": h.stride,
                "x_offset": h.offset + integer(node, "offset", 0),
                "out_stride": out.stride,
                "column": integer(node, "column", 0) + part.start,
                "alpha": alpha * number(node, "scale", 1.0),
            }
            kind = "elem" if out.elem_bytes == walk.program.tier.elem_bytes else "f32"
            bound: dict[str, View | Target] = {"x": h, "out": out, **walk.program.bound(part)}
            symbol = out.rows if isinstance(out.rows, str) else "tokens"
            walk.program.dispatch(
                f"low_rank_{matrix.fmt.name}_{kind}", bound, constants, str(node.name), symbol
            )


def _of_the_same_rows(walk: Walk, h: View, out: View, node: ir.Node) -> View:
    """h for the rows of `out`: logits of text generation are those of the last token, in a phase of its own."""
    if h.rows == out.rows:
        return h
    if walk.mode != "prefill" or out.rows != 1:
        raise walk.refuse(node, "an adapter of a head that reads rows asked for")
    last = walk.program.scratch(1, h.width)
    walk.program.dispatch("take_last", {"x": h, "out": last}, {"width": h.width}, str(node.name))
    return last
