"""Lowering of norms, gates, sums, and splits."""

import onnx_ir as ir

from exporter.lowering.activations import lower_multiply
from exporter.lowering.linears import takes_norm
from exporter.lowering.program import Target, View, direct_way
from exporter.lowering.walk import Norm, Walk, constant_array, integer, number, other_input, scalar_factor


def lower_layer_norm(walk: Walk, node: ir.Node) -> None:
    """LayerNormalization over the last axis."""
    if integer(node, "axis", -1) not in (-1, 2):
        raise walk.refuse(node, "only the last axis")
    x = walk.dense(node.inputs[0], node)
    out = walk.program.scratch(x.rows, x.width)
    weight = walk.program.weight(walk.weight(node.inputs[1], node))
    has_bias = len(node.inputs) > 2 and node.inputs[2] is not None
    bias = walk.program.weight(walk.weight(node.inputs[2], node)) if has_bias else weight
    constants = {
        "width": x.width,
        "epsilon": number(node, "epsilon", 1e-5),
        "has_bias": int(has_bias),
    }
    bindings: dict[str, View | Target] = {"x": x, "out": out, "weight": weight, "bias": bias}
    walk.program.dispatch(
        "layer_norm", bindings, constants, str(node.name), choice=direct_way("layer_norm", "norm")
    )
    walk.define(node.outputs[0], out)


def lower_rms_norm(walk: Walk, node: ir.Node) -> None:
    """RMSNorm over the last axis, and HeadRMSNorm over each head of it."""
    x, heads = walk.view(node.inputs[0]), integer(node, "num_heads", 1)
    weight = walk.program.weight(walk.weight(node.inputs[1], node))
    epsilon = number(node, "epsilon", 1e-5)
    if heads == 1 and takes_norm(walk, node.outputs[0], x.width):
        walk.postpone(node.outputs[0], Norm(walk.dense(node.inputs[0], node), weight, epsilon))
        return
    out = walk.program.scratch(x.rows, x.width)
    constants = {
        "width": x.width // heads,
        "epsilon": epsilon,
        "heads": heads,
        "x_stride": x.stride,
        "x_offset": x.offset,
    }
    bindings: dict[str, View | Target] = {"x": x, "out": out, "weight": weight}
    walk.program.dispatch(
        "rms_norm", bindings, constants, str(node.name), choice=direct_way("rms_norm", "norm")
    )
    walk.define(node.outputs[0], out)


def lower_gated_rms_norm(walk: Walk, node: ir.Node) -> None:
    """GatedRMSNorm: the gate may be a slice of a wider row."""
    x, gate = walk.dense(node.inputs[0], node), walk.view(node.inputs[1])
    out = walk.program.scratch(x.rows, x.width)
    weight = walk.program.weight(walk.weight(node.inputs[2], node))
    constants = {
        "width": x.width,
        "groups": integer(node, "n_groups", 1),
        "epsilon": number(node, "epsilon", 1e-5),
        "gate_stride": gate.stride,
        "gate_offset": gate.offset,
    }
    bindings: dict[str, View | Target] = {"x": x, "gate": gate, "out": out, "weight": weight}
    walk.program.dispatch("gated_rms_norm", bindings, constants, str(node.name))
    walk.define(node.outputs[0], out)


def lower_add(walk: Walk, node: ir.Node) -> None:
    """A sum of two activations that no linear took along."""
    if not all(walk.known(value) for value in node.inputs):
        raise walk.refuse(node, "only a sum of two activations")
    a, b = (walk.dense(value, node) for value in node.inputs)
    if a.width != b.width or a.rows != b.rows:
        raise walk.refuse(node, "the two must have the same shape")
    walk.define(node.outputs[0], _sum(walk, a, b, 1.0, node))


def _sum(walk: Walk, a: View, b: View, alpha: float, node: ir.Node) -> View:
    """a + alpha * b."""
    out = walk.program.scratch(a.rows, a.width)
    bindings: dict[str, View | Target] = {"a": a, "b": b, "out": out}
    walk.program.dispatch("add", bindings, {"width": a.width, "alpha": alpha}, str(node.name))
    return out


def lower_mul(walk: Walk, node: ir.Node) -> None:
    """An activation times a scalar, with the sum that may follow, or the product of two."""
    if len(node.inputs) == 2 and all(walk.known(value) for value in node.inputs):
        lower_multiply(walk, node)
        return
    factor = scalar_factor(node)
    source = next((value for value in node.inputs if walk.known(value)), None)
    if factor is None or source is None:
        raise walk.refuse(node, "only an activation times a scalar constant")
    x = walk.view(source)
    add = walk.follower(node.outputs[0], "Add")
    other = other_input(add, node.outputs[0]) if add is not None else None
    if add is not None and x.contiguous and walk.known(other) and walk.view(other).contiguous:
        walk.define(add.outputs[0], _sum(walk, walk.view(other), x, factor, node), add)
        return
    out = walk.program.scratch(x.rows, x.width)
    constants = {"width": x.width, "x_stride": x.stride, "x_offset": x.offset, "alpha": factor}
    walk.program.dispatch("copy", {"x": x, "out": out}, constants, str(node.name))
    walk.define(node.outputs[0], out)


def lower_reshape(walk: Walk, node: ir.Node) -> None:
    """Reshape that joins the axes before the last: the rows of a plan's values are joined already."""
    x = walk.view(node.inputs[0])
    if list(constant_array(walk, node.inputs[1], node)) != [-1, x.width]:
        raise walk.refuse(node, "only to rows of the same width")
    walk.define(node.outputs[0], x)


def lower_split(walk: Walk, node: ir.Node) -> None:
    """Split on the last axis: views, no copy."""
    x = walk.view(node.inputs[0])
    widths = [int(n) for n in constant_array(walk, node.inputs[1], node)]
    if integer(node, "axis", 0) not in (-1, 2) or sum(widths) != x.width:
        raise walk.refuse(node, "only the last axis, cut into constant widths")
    offset = x.offset
    for value, width in zip(node.outputs, widths, strict=True):
        walk.define(value, View(x.buffer, x.rows, width, x.stride, offset, x.elem_bytes))
        offset += width
